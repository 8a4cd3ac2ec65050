// What the two traffic policies of a service make of its endpoints: which lists are wanted (EP-21), and what becomes of
// a connection (TP-1…TP-7, REJ-1, REJ-2).

import ServiceModel

struct TrafficPolicies {
    let isInternalLocal: Bool
    /// externalTrafficPolicy Local, where it counts (SVC-14).
    let isExternalLocal: Bool

    init(_ service: Service) {
        let isExternal =
            switch service.kind {
            case .nodePort, .loadBalancer: true
            case .clusterIP: !service.externalIPs.isEmpty
            case .externalName: false
            }
        isInternalLocal = service.internalTrafficPolicy == .local
        isExternalLocal = isExternal && service.externalTrafficPolicy == .local
    }

    /// The cluster list also serves short-circuited traffic to a port with an external address (TP-6).
    func wantsCluster(hasExternalAddress: Bool) -> Bool { !isInternalLocal || hasExternalAddress }

    func wantsLocal(hasExternalAddress: Bool) -> Bool { isInternalLocal || (isExternalLocal && hasExternalAddress) }

    /// For a ClusterIP, whoever the client is (TP-1, TP-3).
    func toClusterIP(_ selection: EndpointSelection) -> FrontendPlan.Disposition {
        disposition(selection, local: isInternalLocal)
    }

    /// For external traffic of outside clients (TP-4, TP-5, TP-7).
    func toExternalAddress(_ selection: EndpointSelection) -> FrontendPlan.Disposition {
        disposition(selection, local: isExternalLocal)
    }

    /// For external traffic of pods and of this node: always the cluster list (TP-6).
    func toExternalAddressFromInside(_ selection: EndpointSelection) -> FrontendPlan.Disposition {
        disposition(selection, local: false)
    }

    private func disposition(_ selection: EndpointSelection, local: Bool) -> FrontendPlan.Disposition {
        guard selection.hasUsable else { return .reject }
        guard local else { return .cluster }
        return selection.local.isEmpty ? .drop : .local
    }
}
