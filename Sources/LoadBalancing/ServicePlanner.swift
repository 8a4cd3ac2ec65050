// From one service and its slices to what this node should do for each of its ports. A pure function of these, the node
// and its settings; what other services claim is settled afterwards (FrontendClaims).

import NetworkTypes
package import ServiceModel

package struct ServicePlan: Hashable, Sendable {
    /// Ordered by name, each once.
    package var ports: [ServicePortPlan] = []
    package var problems: [ObjectProblem] = []

    package init() {}
}

package struct ServicePlanner: Sendable {
    package let node: NodeView
    package let settings: NodeSettings
    private let nodePortAddresses: PerFamily<[IPAddress]>

    package init(node: NodeView, settings: NodeSettings) {
        self.node = node
        self.settings = settings
        nodePortAddresses = PerFamily { NodePortAddresses.serving($0, on: node, settings: settings) }
    }

    /// Empty for a service that is not proxied (SVC-7, SVC-9).
    package func plan(_ service: Service, slices: [EndpointSlice]) -> ServicePlan {
        var plan = ServicePlan()
        guard service.isProxied else { return plan }
        let ports = PortCheck.distinctPorts(of: service, problems: &plan.problems)
        let healthCheckPort = healthCheckNodePort(of: service, problems: &plan.problems)
        plan.ports = ports.map { port in
            ServicePortPlan(
                name: ServicePortName(service: service.name, portName: port.name, protocol: port.protocolKind),
                port: port.port, algorithm: service.algorithm ?? settings.defaultAlgorithm,
                isDSR: isDSR(service, port.protocolKind),
                sessionAffinitySeconds: service.sessionAffinitySeconds, healthCheckNodePort: healthCheckPort)
        }
        var frontends = FrontendCollector(service: service.name, isCrowded: ports.count > 1)
        for family in AddressFamily.allCases {
            guard let clusterIP = service.clusterIPs[family], clusterIP.family == family else { continue }
            let addresses = ServiceAddresses(
                service, clusterIP: clusterIP, nodePortAddresses: nodePortAddresses[family], planner: self)
            let endpoints = ServiceEndpoints(slices: slices, family: family, node: node)
            let families = familyPlans(of: ports, at: addresses, endpoints: endpoints, frontends: &frontends)
            for (index, family) in families.enumerated() { plan.ports[index].families.append(family) }
        }
        plan.problems += frontends.problems
        plan.ports.removeAll { $0.families.isEmpty }
        if plan.ports.count > 1 { plan.ports.sort { $0.name < $1.name } }
        return plan
    }

    /// One family's plans, in the order of the ports.
    private func familyPlans(
        of ports: [ServicePort], at addresses: ServiceAddresses, endpoints: ServiceEndpoints,
        frontends: inout FrontendCollector
    ) -> [FamilyPlan] {
        var localReady = LocalReadyAddresses()
        var plans = ports.map { port in
            let candidates = endpoints.candidates(portName: port.name, protocol: port.protocolKind)
            localReady.insert(candidates)
            let isExternal = addresses.hasExternalAddress(for: port)
            let wantsCluster = addresses.policies.wantsCluster(hasExternalAddress: isExternal)
            let wantsLocal = addresses.policies.wantsLocal(hasExternalAddress: isExternal)
            let selection = EndpointSelection(candidates, wantsCluster: wantsCluster, wantsLocal: wantsLocal)
            return FamilyPlan(
                family: addresses.family, cluster: selection.cluster, local: selection.local,
                usesCluster: wantsCluster, usesLocal: wantsLocal, serving: selection.serving,
                frontends: frontends.collect(addresses.frontends(of: port, selection: selection), of: port))
        }
        for index in plans.indices { plans[index].localReadyCount = localReady.count }
        return plans
    }

    private func isDSR(_ service: Service, _ protocolKind: TransportProtocol) -> Bool {
        switch service.forwarding ?? settings.defaultForwarding {
        case .snat: false
        case .dsr: true
        case .hybrid: protocolKind == .tcp
        }
    }

    /// Only a LoadBalancer service with externalTrafficPolicy Local is asked for its local endpoints (HC-1, SVC-14).
    private func healthCheckNodePort(of service: Service, problems: inout [ObjectProblem]) -> UInt16? {
        guard service.kind == .loadBalancer, service.externalTrafficPolicy == .local else { return nil }
        guard service.healthCheckNodePort != 0 else {
            problems.append(
                service.problem(
                    "spec.healthCheckNodePort",
                    "A LoadBalancer service with externalTrafficPolicy Local has no health-check node port; "
                        + "nothing answers its health checks (INV-7)."))
            return nil
        }
        return service.healthCheckNodePort
    }
}

extension Service {
    /// Headless and ExternalName services have nothing to program (SVC-7); others may belong to another proxy (SVC-9).
    var isProxied: Bool { !isHeadless && kind != .externalName && !belongsToOtherProxy }

    func problem(_ field: String, _ message: String) -> ObjectProblem {
        ObjectProblem(object: "Service \(name)", field: field, message: message)
    }
}

/// Distinct addresses of local ready endpoints over all ports of a service in one family: the count of its health check
/// (HC-3). Terminating endpoints that are not ready do not count, even while they serve.
private struct LocalReadyAddresses {
    private var addresses: [IPAddress] = []

    mutating func insert(_ candidates: [EndpointCandidate]) {
        for candidate in candidates where candidate.isReady && candidate.isLocal {
            addresses.append(candidate.address.address)
        }
    }

    var count: Int { addresses.count < 2 ? addresses.count : Set(addresses).count }
}
