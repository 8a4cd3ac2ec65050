// From a planned frontend to its record: kind, flags, timeout.

import CDatapathABI
import LoadBalancing
import NetworkTypes
import ServiceModel

extension FrontendRecord {
    init(
        _ frontend: FrontendPlan, of plan: ServicePortPlan, serviceID: UInt32, internal: dp_choice, external: dp_choice,
        previous: dp_choice
    ) {
        var record = dp_frontend()
        record.service_id = serviceID
        record.affinity_timeout_s = plan.sessionAffinitySeconds ?? 0
        record.kind = UInt8(frontend.kind.abi.rawValue)
        record.flags = UInt16(Self.flags(of: frontend, in: plan).reduce(0) { $0 | $1.rawValue })
        record.internal = `internal`
        record.external = external
        self.init(record)
        setPrevious(previous)
    }

    private static func flags(of frontend: FrontendPlan, in plan: ServicePortPlan) -> [dp_frontend_flags] {
        var flags: [dp_frontend_flags] = []
        switch plan.algorithm {
        case .maglev: flags.append(DP_FRONTEND_MAGLEV)
        case .random: break
        }
        // A loopback address is every namespace's own: only this node's processes mean the node (NP-6).
        if frontend.kind == .nodePort, frontend.address.address.isLoopback { flags.append(DP_FRONTEND_HOST_ONLY) }
        if !frontend.admitsHostSockets { flags.append(DP_FRONTEND_DENY_HOST) }
        if !frontend.admitsPodSockets { flags.append(DP_FRONTEND_DENY_PODS) }
        if frontend.masquerades.contains(.host) { flags.append(DP_FRONTEND_MASQUERADE_HOST) }
        if frontend.masquerades.contains(.pods) { flags.append(DP_FRONTEND_MASQUERADE_PODS) }
        if frontend.masquerades.contains(.outside) { flags.append(DP_FRONTEND_MASQUERADE_OUTSIDE) }
        if plan.isDSR(frontend) { flags.append(DP_FRONTEND_DSR) }
        if !frontend.sourceRanges.isEmpty { flags.append(DP_FRONTEND_SOURCE_RANGES) }
        if frontend.refuses.contains(.outside) { flags.append(DP_FRONTEND_INSIDE_ONLY) }
        if frontend.externalTo == .local { flags.append(DP_FRONTEND_EXTERNAL_LOCAL) }
        if frontend.internalTo == .local { flags.append(DP_FRONTEND_INTERNAL_LOCAL) }
        return flags
    }
}

extension ServicePortPlan {
    /// A ClusterIP is for the inside; what comes to it from outside is masqueraded as with kube-proxy.
    func isDSR(_ frontend: FrontendPlan) -> Bool { isDSR && frontend.kind != .clusterIP }
}

extension FrontendPlan.Kind {
    var abi: dp_frontend_kind {
        switch self {
        case .clusterIP: DP_FRONTEND_CLUSTER_IP
        case .nodePort: DP_FRONTEND_NODE_PORT
        case .externalIP: DP_FRONTEND_EXTERNAL_IP
        case .loadBalancer: DP_FRONTEND_LOAD_BALANCER
        }
    }
}
