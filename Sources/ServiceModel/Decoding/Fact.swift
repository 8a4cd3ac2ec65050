// One object that a source delivers, as a value with its identity. FactChange is what became of it.

/// The value lies in a box of its own: sources keep each fact in several tables, where it costs one word then.
package indirect enum Fact: Hashable, Sendable {
    case service(Service)
    case endpointSlice(EndpointSlice)
    case node(Node)
    case serviceCIDR(ServiceCIDR)

    package var identity: ObjectIdentity {
        switch self {
        case .service(let service): ObjectIdentity(kind: .service, name: service.name)
        case .endpointSlice(let slice): ObjectIdentity(kind: .endpointSlice, name: slice.name)
        case .node(let node): ObjectIdentity(kind: .node, name: ObjectName(namespace: "", name: node.name))
        case .serviceCIDR(let range):
            ObjectIdentity(kind: .serviceCIDR, name: ObjectName(namespace: "", name: range.name))
        }
    }

    /// The object now has this value.
    package var change: FactChange {
        switch self {
        case .service(let service): .service(service.name, service)
        case .endpointSlice(let slice): .endpointSlice(slice.name, slice)
        case .node(let node): .node(node.name, node)
        case .serviceCIDR(let range): .serviceCIDR(range.name, range)
        }
    }
}

/// The kinds that a service proxy reads (API-1).
package enum FactKind: String, Hashable, Sendable, CaseIterable {
    case service = "Service"
    case endpointSlice = "EndpointSlice"
    case node = "Node"
    case serviceCIDR = "ServiceCIDR"

    /// The only version that is read (EP-1).
    package var apiVersion: String {
        switch self {
        case .service, .node: "v1"
        case .endpointSlice: "discovery.k8s.io/v1"
        case .serviceCIDR: "networking.k8s.io/v1"
        }
    }

    package var isNamespaced: Bool {
        switch self {
        case .service, .endpointSlice: true
        case .node, .serviceCIDR: false
        }
    }
}

/// What no two objects of a cluster share. The namespace of cluster-wide kinds is empty.
package struct ObjectIdentity: Hashable, Sendable {
    package var kind: FactKind
    package var name: ObjectName

    package init(kind: FactKind, name: ObjectName) {
        self.kind = kind
        self.name = name
    }

    /// The object is gone.
    package var deletion: FactChange {
        switch kind {
        case .service: .service(name, nil)
        case .endpointSlice: .endpointSlice(name, nil)
        case .node: .node(name.name, nil)
        case .serviceCIDR: .serviceCIDR(name.name, nil)
        }
    }
}

extension ObjectIdentity: CustomStringConvertible {
    /// `Service default/web`, or `Node n1`.
    package var description: String {
        kind.isNamespaced ? "\(kind.rawValue) \(name)" : "\(kind.rawValue) \(name.name)"
    }
}

extension ObjectIdentity: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        (left.kind.rawValue, left.name) < (right.kind.rawValue, right.name)
    }
}
