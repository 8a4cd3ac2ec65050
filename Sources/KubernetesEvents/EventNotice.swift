// Something worth telling the users of a cluster, before it is an Event: about which object, what, and why.

package import ServiceModel

package struct EventNotice: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        case normal = "Normal"
        case warning = "Warning"
    }

    package var kind: Kind
    package var regarding: EventObject
    /// One word in camel case, for machines: why there is an event. At most 128 bytes, as `action`.
    package var reason: String
    /// One word in camel case: what was done, or failed.
    package var action: String
    /// A sentence for people; may be empty. What is longer than the API takes is cut off.
    package private(set) var note: String

    package init(_ kind: Kind, regarding: EventObject, reason: String, action: String, note: String) {
        self.kind = kind
        self.regarding = regarding
        self.reason = reason
        self.action = action
        self.note = Self.cut(note)
    }

    /// The API server refuses longer ones.
    package static let noteLimit = 1024

    /// Never within a character.
    private static func cut(_ text: String) -> String {
        guard text.utf8.count > noteLimit else { return text }
        let mark = "…"
        var room = noteLimit - mark.utf8.count
        let head = text.prefix { character in
            room -= character.utf8.count
            return room >= 0
        }
        return head + mark
    }
}

/// What an event is about.
package struct EventObject: Hashable, Sendable {
    package var identity: ObjectIdentity
    /// Nil when it is not known; `kubectl describe` finds events by it.
    package var uid: String?

    package init(_ identity: ObjectIdentity, uid: String? = nil) {
        self.identity = identity
        self.uid = uid
    }

    /// Nodes are named by their name in place of their uid, as the kubelet and kube-proxy do it.
    package static func node(_ name: String) -> EventObject {
        EventObject(ObjectIdentity(kind: .node, name: ObjectName(namespace: "", name: name)), uid: name)
    }

    /// Where the event lies: beside the object, or in `default` for what has no namespace.
    var namespace: String { identity.kind.isNamespaced ? identity.name.namespace : "default" }
}
