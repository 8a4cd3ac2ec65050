// One object of a list or a watch: what it says, by ServiceModel's rules, and which version of it this is.

import KubernetesMessages
package import ServiceModel
import SwiftProtobuf

package struct KubernetesObject: Hashable, Sendable {
    package var decoded: DecodedObject
    /// Opaque to us but for equality and, where it is a number, order (KEP-5504). Empty when the object has none.
    package var resourceVersion: String
    /// Nil when the object has none.
    package var uid: String?

    package init(decoded: DecodedObject, resourceVersion: String, uid: String? = nil) {
        self.decoded = decoded
        self.resourceVersion = resourceVersion
        self.uid = uid
    }

    init(_ fields: FieldValue, kind: FactKind) {
        decoded = ObjectDecoder.decode(fields, as: kind, place: Self.place)
        let metadata = fields["metadata"]
        resourceVersion = metadata?.text("resourceVersion") ?? ""
        uid = metadata?.text("uid")
    }

    /// Of a kind that is not wanted, or too damaged to say who it is.
    init(nameless message: String, kind: FactKind) {
        let problem = ObjectProblem(object: "\(kind.rawValue) in \(Self.place)", message: message)
        decoded = DecodedObject(outcome: .unusable(.nameless, problem))
        resourceVersion = ""
    }

    /// An item of a list, or the object of a watch event without its envelope.
    init(bytes: [UInt8], kind: FactKind, encoding: AnswerEncoding) {
        switch encoding {
        case .json: self.init(json: bytes, kind: kind)
        case .protobuf: self.init(protobuf: bytes, kind: kind)
        }
    }

    private init(json bytes: [UInt8], kind: FactKind) {
        do throws(TextProblem) {
            let values = try JSONText.parse(bytes)
            guard let value = values.first?.value, values.count == 1 else {
                throw TextProblem("not one JSON value, but \(values.count)")
            }
            self.init(value, kind: kind)
        } catch {
            self.init(nameless: "is not JSON: \(error.message)", kind: kind)
        }
    }

    /// Of an object that does not decode as a whole, its name at least is looked for.
    private init(protobuf bytes: [UInt8], kind: FactKind) {
        do {
            self.init(try kind.fields(ofMessage: bytes), kind: kind)
        } catch {
            let reason = "is not a \(kind.rawValue) in protobuf: \(error)"
            guard let fields = try? WireAnyObject(serializedBytes: bytes, options: .lean).fields else {
                self.init(nameless: reason, kind: kind)
                return
            }
            self.init(fields, kind: kind)
            guard let identity = decoded.identity else { return }
            let problem = ObjectProblem(object: "\(identity)", message: reason)
            decoded = DecodedObject(outcome: .unusable(.object(identity), problem))
        }
    }

    static let place = "the API's answer"
}

extension FactKind {
    fileprivate func fields(ofMessage bytes: [UInt8]) throws -> FieldValue {
        switch self {
        case .service: try WireService(serializedBytes: bytes, options: .lean).fields
        case .endpointSlice: try WireEndpointSlice(serializedBytes: bytes, options: .lean).fields
        case .node: try WireNode(serializedBytes: bytes, options: .lean).fields
        case .serviceCIDR: try WireServiceCIDR(serializedBytes: bytes, options: .lean).fields
        }
    }
}

extension BinaryDecodingOptions {
    /// Without what the messages do not name: managedFields are the larger part of many objects.
    static var lean: BinaryDecodingOptions {
        var options = BinaryDecodingOptions()
        options.discardUnknownFields = true
        return options
    }
}

extension FieldValue {
    /// A member that is text; nil otherwise, whatever it is.
    func text(_ key: String) -> String? {
        guard case .string(let text)? = self[key] else { return nil }
        return text
    }

    /// A member that is a whole number; nil otherwise, whatever it is.
    func number(_ key: String) -> Int? {
        guard case .integer(let number)? = self[key] else { return nil }
        return Int(exactly: number)
    }
}
