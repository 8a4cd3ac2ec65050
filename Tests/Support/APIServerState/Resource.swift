// The resources that the stand-in serves. Events exist once, and are served by two groups under different field names.

package enum Resource: String, CaseIterable, Sendable {
    case services
    case nodes
    case namespaces
    case endpointSlices = "endpointslices"
    case serviceCIDRs = "servicecidrs"
    case events

    package var isNamespaced: Bool {
        switch self {
        case .services, .endpointSlices, .events: true
        case .nodes, .namespaces, .serviceCIDRs: false
        }
    }

    /// Whether the object has a status that is written on its own.
    package var hasStatus: Bool {
        switch self {
        case .services, .nodes, .namespaces, .serviceCIDRs: true
        case .endpointSlices, .events: false
        }
    }

    /// Whether metadata.generation counts changes of the object.
    package var countsGenerations: Bool {
        switch self {
        case .endpointSlices: true
        case .services, .nodes, .namespaces, .serviceCIDRs, .events: false
        }
    }
}

/// A resource as one API group serves it.
package struct Endpoint: Hashable, Sendable {
    package var resource: Resource
    /// Empty for the core group.
    package var group: String

    package static let all: [Endpoint] = [
        Endpoint(resource: .events, group: ""), Endpoint(resource: .namespaces, group: ""),
        Endpoint(resource: .nodes, group: ""), Endpoint(resource: .services, group: ""),
        Endpoint(resource: .endpointSlices, group: "discovery.k8s.io"),
        Endpoint(resource: .events, group: "events.k8s.io"),
        Endpoint(resource: .serviceCIDRs, group: "networking.k8s.io"),
    ]

    package static let services = Endpoint(resource: .services, group: "")
    package static let nodes = Endpoint(resource: .nodes, group: "")
    package static let namespaces = Endpoint(resource: .namespaces, group: "")
    package static let endpointSlices = Endpoint(resource: .endpointSlices, group: "discovery.k8s.io")
    package static let serviceCIDRs = Endpoint(resource: .serviceCIDRs, group: "networking.k8s.io")
    package static let events = Endpoint(resource: .events, group: "events.k8s.io")

    package static func find(group: String, plural: String) -> Endpoint? {
        all.first { $0.group == group && $0.resource.rawValue == plural }
    }

    package var apiVersion: String { group.isEmpty ? "v1" : "\(group)/v1" }

    /// `services` or `endpointslices.discovery.k8s.io`, as messages name them.
    package var qualifiedName: String { group.isEmpty ? resource.rawValue : "\(resource.rawValue).\(group)" }

    package var path: String { group.isEmpty ? "/api/v1" : "/apis/\(group)/v1" }

    package var kind: String {
        switch resource {
        case .services: "Service"
        case .nodes: "Node"
        case .namespaces: "Namespace"
        case .endpointSlices: "EndpointSlice"
        case .serviceCIDRs: "ServiceCIDR"
        case .events: "Event"
        }
    }

    package var message: Message {
        switch resource {
        case .services: Messages.service
        case .nodes: Messages.node
        case .namespaces: Messages.namespace
        case .endpointSlices: Messages.endpointSlice
        case .serviceCIDRs: Messages.serviceCIDR
        case .events: group.isEmpty ? Messages.coreEvent : Messages.event
        }
    }
}
