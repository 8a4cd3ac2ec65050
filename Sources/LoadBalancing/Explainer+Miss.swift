// Explains a destination that no frontend has: an unused port of a ClusterIP, an unowned ServiceCIDR address, or
// something that is none of our business, with the rule that says so.

import NetworkTypes
import ServiceModel

extension Explainer {
    private var address: IPAddress { destination.address.address }
    private var port: UInt16 { destination.address.port }

    /// SVC-12: an active ClusterIP refuses the ports that it does not have; silence for the rest of the ServiceCIDRs.
    func miss() -> Explanation {
        let ports = planner.servicePorts
        if ports.contains(where: { $0.has(.clusterIP, at: address) }) {
            let rules = isOtherProtocol(in: ports, kind: .clusterIP) ? ["PORT-3", "SVC-12"] : ["SVC-12"]
            return Explanation(
                outcome: .reject, rules: rules, path: path,
                reason: "The address \(address) is a ClusterIP without a port \(port)/\(destination.protocolKind).")
        }
        if planner.serviceCIDRs.contains(address: address) {
            return Explanation(
                outcome: .drop, rules: ["SVC-12"], path: path,
                reason: "The address \(address) is inside of a ServiceCIDR, but no proxied service owns it.")
        }
        return notHandled(among: ports)
    }

    /// A loopback frontend is for this node's processes only (NP-6): a pod's loopback is its own, and from outside such
    /// packets are dropped. Nil when the source may use it.
    func misplacedLoopback() -> Explanation? {
        switch source {
        case .node, .localhost: nil
        case .pod:
            Explanation(
                outcome: .notHandled, rules: ["NP-6"], reason: "The address \(address) is the pod's own loopback.")
        case .external:
            Explanation(
                outcome: .drop, rules: ["NP-6"], path: path,
                reason: "Loopback node ports are only for processes of this node.")
        }
    }

    private func notHandled(among ports: [ServicePortPlan]) -> Explanation {
        let (rules, reason) =
            unservedNodePort() ?? unservedAddress()
            ?? (isOtherProtocol(in: ports, kind: nil)
                ? (["PORT-3"], "The address \(address) has no port \(port)/\(destination.protocolKind).")
                : ([], "No frontend has the address \(address) with port \(port)/\(destination.protocolKind)."))
        return Explanation(outcome: .notHandled, rules: rules, reason: reason + routeCondition(among: ports))
    }

    /// Facts know no routes, which decide for clients from outside (decision 12).
    private func routeCondition(among ports: [ServicePortPlan]) -> String {
        guard case .external = source, !planner.servicePlanner.node.addresses.contains(address),
            ports.contains(where: { $0.has(.externalIP, at: address) || $0.has(.loadBalancer, at: address) })
        else { return "" }
        return " Where this node's route would send the packet back to its router, or there is none, it is refused."
    }

    /// The number is a node port, but not at this address.
    private func unservedNodePort() -> (rules: [String], reason: String)? {
        let isNodePort = planner.facts.services.values.contains { service in
            service.isProxied && service.clusterIPs[family] != nil
                && service.ports.contains { $0.nodePort == port && $0.protocolKind == destination.protocolKind }
        }
        guard isNodePort, port != 0 else { return nil }
        if address.isLoopback { return (["NP-6"], "Node ports are not served on the loopback address \(address).") }
        guard planner.servicePlanner.node.addresses.contains(address) else {
            return (["NP-8"], "The address \(address) is not one of this node; its own node serves the node port.")
        }
        let rules =
            switch planner.settings.nodePortAddresses {
            case .all: ["NP-1"]
            case .primary: ["NP-1", "NP-5"]
            case .ranges: ["NP-2"]
            }
        return (rules, "The address \(address) of this node does not serve node ports.")
    }

    /// Some service names the address, but it is not served.
    private func unservedAddress() -> (rules: [String], reason: String)? {
        for service in planner.facts.services.values.sorted(by: { $0.name < $1.name }) {
            let isExternalIP = service.externalIPs.contains(address)
            guard isExternalIP || service.loadBalancerIPs.contains(address) || service.clusterIPs[family] == address
            else { continue }
            if service.belongsToOtherProxy {
                return (["SVC-9"], "The address \(address) is that of service \(service.name) of another proxy.")
            }
            if !service.isProxied {
                return (["SVC-7"], "The address \(address) is that of service \(service.name), which is not proxied.")
            }
            if isExternalIP, !planner.settings.externalIPsAllowed {
                return (["SVC-11"], "The ExternalIP \(address) of service \(service.name) is not allowed here.")
            }
        }
        return nil
    }

    /// Whether a frontend has the address and number with another protocol.
    private func isOtherProtocol(in ports: [ServicePortPlan], kind: FrontendPlan.Kind?) -> Bool {
        ports.contains { plan in
            plan.name.protocolKind != destination.protocolKind
                && plan.families.contains { family in
                    family.frontends.contains { $0.address == destination.address && (kind ?? $0.kind) == $0.kind }
                }
        }
    }
}

extension ServicePortPlan {
    fileprivate func has(_ kind: FrontendPlan.Kind, at address: IPAddress) -> Bool {
        families.contains { $0.frontends.contains { $0.kind == kind && $0.address.address == address } }
    }
}
