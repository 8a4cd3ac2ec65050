// The addresses at which a service is dialled in one family, and the frontends that they become for each port
// (SVC-3…SVC-6, SVC-11, SVC-13, DS-5).

import NetworkTypes
import ServiceModel

struct ServiceAddresses {
    let family: AddressFamily
    let policies: TrafficPolicies
    private let clusterIP: IPAddress
    private let loadBalancerIPs: [IPAddress]
    private let externalIPs: [IPAddress]
    /// Whether there are ExternalIPs, served or not (SVC-11, EP-21).
    private let hasExternalIPs: Bool
    private let nodePortAddresses: [IPAddress]
    private let sourceRanges: SourceRanges
    private let masquerade: Masquerade
    private let servesClusterIPOutside: Bool

    init(_ service: Service, clusterIP: IPAddress, nodePortAddresses: [IPAddress], planner: ServicePlanner) {
        let family = clusterIP.family
        let externalIPs = service.externalIPs.addresses(of: family)
        self.family = family
        self.clusterIP = clusterIP
        self.nodePortAddresses = nodePortAddresses
        policies = TrafficPolicies(service)
        loadBalancerIPs = service.loadBalancerIPs.addresses(of: family)
        hasExternalIPs = !externalIPs.isEmpty
        self.externalIPs = planner.settings.externalIPsAllowed ? externalIPs : []
        masquerade = Masquerade(policies, family: family, node: planner.node, settings: planner.settings)
        servesClusterIPOutside = planner.settings.servesClusterIPsOutside
        sourceRanges = SourceRanges(
            service, family: family, virtualAddresses: loadBalancerIPs, node: planner.node, settings: planner.settings)
    }

    /// Whether external traffic can reach the port in this family, by any address (EP-21).
    func hasExternalAddress(for port: ServicePort) -> Bool {
        port.nodePort != 0 || !loadBalancerIPs.isEmpty || hasExternalIPs
    }

    /// Of two equal addresses the first counts: a load-balancer address keeps its source ranges although it is an
    /// ExternalIP as well, and an address dialled on the service port beats the node port, as in nftables mode.
    func frontends(of port: ServicePort, selection: EndpointSelection) -> [FrontendPlan] {
        let toClusterIP = policies.toClusterIP(selection)
        let fromOutside = policies.toExternalAddress(selection)
        let fromInside = policies.toExternalAddressFromInside(selection)
        var frontends = [
            FrontendPlan(
                kind: .clusterIP, address: AddressAndPort(address: clusterIP, port: port.port),
                externalTo: toClusterIP, internalTo: toClusterIP, masquerades: masquerade.toClusterIP,
                refuses: servesClusterIPOutside ? [] : .outside)
        ]
        for address in loadBalancerIPs {
            frontends.append(
                FrontendPlan(
                    kind: .loadBalancer, address: AddressAndPort(address: address, port: port.port),
                    externalTo: fromOutside, internalTo: fromInside, sourceRanges: sourceRanges.ranges,
                    sourceRangesPolicy: sourceRanges.policy, admitsHostSockets: sourceRanges.admitsHostSockets,
                    admitsPodSockets: sourceRanges.admitsPodSockets, virtualSources: sourceRanges.virtualSources,
                    masquerades: masquerade.toExternalAddress))
        }
        for address in externalIPs {
            frontends.append(
                FrontendPlan(
                    kind: .externalIP, address: AddressAndPort(address: address, port: port.port),
                    externalTo: fromOutside, internalTo: fromInside, masquerades: masquerade.toExternalAddress))
        }
        guard port.nodePort != 0 else { return frontends }
        for address in nodePortAddresses {
            frontends.append(
                FrontendPlan(
                    kind: .nodePort, address: AddressAndPort(address: address, port: port.nodePort),
                    externalTo: fromOutside, internalTo: fromInside, masquerades: masquerade.toExternalAddress))
        }
        return frontends
    }
}

extension [IPAddress] {
    fileprivate func addresses(of family: AddressFamily) -> [IPAddress] {
        isEmpty ? [] : filter { $0.family == family }
    }
}
