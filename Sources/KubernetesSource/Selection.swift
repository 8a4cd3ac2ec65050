// What is asked of the API server, kind by kind: kube-proxy's own paths and selectors (API-1, API-2), and the same
// filter again on what comes back, for servers that do not know a selector.

package import ServiceModel

package struct Selection: Hashable, Sendable {
    package let kind: FactKind
    /// This node's name: of Nodes, only that one is asked for (NODE-6).
    package let nodeName: String

    package init(kind: FactKind, nodeName: String) {
        self.kind = kind
        self.nodeName = nodeName
    }

    package var path: String {
        switch kind {
        case .service: "/api/v1/services"
        case .endpointSlice: "/apis/discovery.k8s.io/v1/endpointslices"
        case .node: "/api/v1/nodes"
        case .serviceCIDR: "/apis/networking.k8s.io/v1/servicecidrs"
        }
    }

    /// API servers before 1.31 refuse the field selector of Services with 400.
    func parameters(withFieldSelector: Bool) -> [(String, String)] {
        switch kind {
        case .service:
            (withFieldSelector ? [("fieldSelector", "spec.clusterIP!=None")] : [])
                + [("labelSelector", "!service.kubernetes.io/service-proxy-name")]
        case .endpointSlice: [("labelSelector", "!service.kubernetes.io/headless")]
        case .node: [("fieldSelector", "metadata.name=\(nodeName)")]
        case .serviceCIDR: []
        }
    }

    /// Only Services can be listed without theirs.
    var canDropFieldSelector: Bool { kind == .service }

    /// Servers without the type answer 404, and need not be asked often: API server before 1.33 may have no ServiceCIDRs.
    var isOptional: Bool { kind == .serviceCIDR }

    /// Whether the server would have sent this, had it known every selector.
    func admits(_ fact: Fact) -> Bool {
        switch fact {
        case .service(let service): !service.isHeadless && !service.belongsToOtherProxy
        case .endpointSlice(let slice): !slice.isHeadless
        case .node(let node): node.name == nodeName
        case .serviceCIDR: true
        }
    }
}
