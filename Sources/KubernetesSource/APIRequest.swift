// One request of a reflector, as the line that goes to the server.

package struct APIRequest: Hashable, Sendable {
    package enum Verb: Hashable, Sendable {
        /// A watch that begins with everything there is, and says where that ends (KEP-3157).
        case streamingList
        /// One page of a list. The token of the page before, nil for the first one.
        case list(token: String?)
        case watch
    }

    package var verb: Verb
    /// Path and query.
    package var target: String

    init(_ verb: Verb, _ selection: Selection, _ parameters: [(String, String)]) {
        self.verb = verb
        // In the order of names, as Go's clients write queries.
        let query = parameters.sorted { $0.0 < $1.0 }.map { "\($0.0)=\(Self.escaped($0.1))" }
        target = selection.path + "?" + query.joined(separator: "&")
    }

    /// Everything that follows is the whole state, against which what is known has to be compared.
    package var beginsReplacement: Bool {
        switch verb {
        case .streamingList: true
        case .list(let token): token == nil
        case .watch: false
        }
    }

    package var isList: Bool {
        switch verb {
        case .list: true
        case .streamingList, .watch: false
        }
    }

    /// Percent-encoding of RFC 3986: all but unreserved characters.
    static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return result
    }
}
