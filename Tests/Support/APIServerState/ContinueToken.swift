// The token with which a client asks for the next page: the resourceVersion of the first page, and the key at which to
// go on, as base64 without padding of the JSON that a Kubernetes API server makes.

import Foundation

package struct ContinueToken: Equatable, Sendable {
    /// nil for a token that goes on at whatever state there is.
    package var revision: UInt64?
    /// The path of the last key that was listed; the next page begins behind it.
    package var last: String

    package init(revision: UInt64?, last: String) {
        self.revision = revision
        self.last = last
    }

    package init(_ text: String) throws(APIStatus) {
        func invalid(_ problem: String) -> APIStatus {
            .badRequest("invalid continue token: continue key is not valid: \(problem)")
        }
        let standard = text.replacing("-", with: "+").replacing("_", with: "/")
        let padded = standard + String(repeating: "=", count: (4 - standard.count % 4) % 4)
        guard let data = Data(base64Encoded: padded) else { throw invalid("illegal base64 data") }
        guard let json = try? JSONParser.parse(Array(data)) else {
            let first = data.first.map { Character(UnicodeScalar($0)) } ?? " "
            throw invalid("invalid character '\(first)' looking for beginning of value")
        }
        guard json["v"] == "meta.k8s.io/v1", let number = json["rv"]?.integer, let start = json["start"]?.string,
            start.hasSuffix("\0")
        else { throw invalid("it is not one of this server") }
        revision = number > 0 ? UInt64(number) : nil
        last = (start.hasPrefix("/") ? "" : "/") + start.dropLast()
    }

    package var text: String {
        let start = revision == nil ? String(last.dropFirst()) : last
        let json: JSON = [
            "v": "meta.k8s.io/v1", "rv": .integer(revision.map(Int64.init) ?? -1), "start": .string(start + "\0"),
        ]
        let base64 = Data(json.bytes).base64EncodedString()
        return base64.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
