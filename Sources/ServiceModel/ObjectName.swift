// The identity of a namespaced Kubernetes object within its kind.

package struct ObjectName: Hashable, Sendable {
    package var namespace: String
    package var name: String

    package init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }
}

extension ObjectName: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        (left.namespace, left.name) < (right.namespace, right.name)
    }
}

extension ObjectName: CustomStringConvertible {
    /// `namespace/name`, as kubectl and kube-proxy write it.
    package var description: String { "\(namespace)/\(name)" }
}
