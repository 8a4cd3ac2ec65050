// Reads a list answer object by object while it arrives, so that a list of any length costs the memory of one object. The
// encodings differ in how the items are found; what an item says is read the same way.

package import ServiceModel

/// What a list says of itself.
package struct ListHead: Hashable, Sendable {
    /// The version of the whole list, from which a watch goes on.
    package var resourceVersion: String
    /// More pages follow: the token that asks for the next one.
    package var continueToken: String?

    package init(resourceVersion: String, continueToken: String?) {
        self.resourceVersion = resourceVersion
        self.continueToken = continueToken
    }
}

/// A piece of a list, in the order of the answer.
enum ListPart {
    case item([UInt8])
    case oversizedItem
    case head(ListHead)
}

package struct ListReader: Sendable {
    private enum Parts: Sendable {
        case json(JSONListParts)
        case protobuf(ProtobufListParts)
    }

    private let kind: FactKind
    private let encoding: AnswerEncoding
    private let limits: AnswerLimits
    private var parts: Parts
    private var head: ListHead?

    package init(kind: FactKind, encoding: AnswerEncoding, limits: AnswerLimits = AnswerLimits()) {
        self.kind = kind
        self.encoding = encoding
        self.limits = limits
        parts =
            switch encoding {
            case .json: .json(JSONListParts(limits: limits))
            case .protobuf: .protobuf(ProtobufListParts(limits: limits))
            }
    }

    /// The objects that are complete with these bytes.
    ///
    /// - Throws: when this is no list; objects that are wrong in themselves are returned as such.
    package mutating func read(_ bytes: [UInt8]) throws(UnreadableAnswer) -> [KubernetesObject] {
        let found: [ListPart]
        switch parts {
        case .json(var reader):
            found = try reader.read(bytes)
            parts = .json(reader)
        case .protobuf(var reader):
            found = try reader.read(bytes)
            parts = .protobuf(reader)
        }
        var objects: [KubernetesObject] = []
        for part in found {
            switch part {
            case .item(let bytes): objects.append(KubernetesObject(bytes: bytes, kind: kind, encoding: encoding))
            case .oversizedItem:
                objects.append(KubernetesObject(nameless: "is larger than \(limits.object) bytes", kind: kind))
            case .head(let head): self.head = head
            }
        }
        return objects
    }

    /// At the end of the body.
    ///
    /// - Throws: when the list is cut short, or says nothing of itself.
    package func finish() throws(UnreadableAnswer) -> ListHead {
        let isComplete =
            switch parts {
            case .json(let reader): reader.isComplete
            case .protobuf(let reader): reader.isComplete
            }
        guard isComplete else { throw UnreadableAnswer("the list is cut short") }
        guard let head else { throw UnreadableAnswer("the list has no metadata") }
        return head
    }
}
