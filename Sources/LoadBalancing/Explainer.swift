// Explains one connection from the rules alone, as nftables mode would treat it packet by packet: frontend, source
// ranges, policy, endpoints, source NAT. Destinations that no frontend has are explained in Explainer+Miss.

import NetworkTypes
import ServiceModel

extension Planner {
    /// Cost: that of one service; of all of them when no frontend has the destination.
    package func explain(from source: TrafficSource, to destination: FrontendAddress) -> Explanation {
        Explainer(planner: self, source: source, destination: destination).explanation()
    }
}

struct Explainer {
    let planner: Planner
    let source: TrafficSource
    let destination: FrontendAddress
    let standing: SourceStanding

    init(planner: Planner, source: TrafficSource, destination: FrontendAddress) {
        self.planner = planner
        self.source = source
        self.destination = destination
        standing = SourceStanding(
            source, to: destination.address.address, node: planner.servicePlanner.node,
            detector: planner.settings.localDetector)
    }

    var family: AddressFamily { destination.address.address.family }

    var path: Explanation.Path {
        switch source {
        case .pod, .node, .localhost: .socket
        case .external: .tc
        }
    }

    func explanation() -> Explanation {
        guard let hit = hit() else { return miss() }
        if hit.frontend.address.address.isLoopback, let answer = misplacedLoopback() { return answer }
        var rules = planner.isContested(destination) ? ["SVC-15"] : []
        switch admission(hit) {
        case .unrestricted: break
        case .admitted(let rule): rules.append(rule)
        case .excluded(let because): return refusal(.drop, hit, rules + because, hit.exclusion)
        }
        switch disposition(hit) {
        case .reject: return refusal(.reject, hit, rules + ["REJ-1"], "finds no usable endpoint anywhere")
        case .drop:
            let why = hit.frontend.kind == .clusterIP ? ["TP-3"] : detectorRules(hit) + ["TP-7"]
            let reason = "may only use endpoints of this node, and all usable ones are elsewhere"
            return refusal(.drop, hit, rules + why, reason)
        case .cluster: return forwarding(hit, to: hit.selection.cluster, rules + clusterRules(hit))
        case .local: return forwarding(hit, to: hit.selection.local, rules + localRules(hit))
        }
    }
}

// The frontend, its service, and what the rules make of them.
extension Explainer {
    struct Hit {
        var service: Service
        var name: ServicePortName
        var frontend: FrontendPlan
        var selection: EndpointSelection
        var policies: TrafficPolicies

        var isClusterIP: Bool { frontend.kind == .clusterIP }

        /// What is said of a source that is not admitted.
        var exclusion: String {
            switch frontend.sourceRangesPolicy {
            case .allow: "is outside of its source ranges"
            case .deny: "is inside of the source ranges that it denies"
            }
        }
    }

    private func hit() -> Hit? {
        guard let owner = planner.owner(of: destination), let service = planner.facts.services[owner],
            let ports = planner.servicePlan(of: owner)?.ports
        else { return nil }
        for port in ports where port.name.protocolKind == destination.protocolKind {
            guard let plan = port.families.first(where: { $0.family == family }),
                let frontend = plan.frontends.first(where: { $0.address == destination.address })
            else { continue }
            let endpoints = ServiceEndpoints(
                slices: planner.facts.slices(of: owner), family: family, node: planner.servicePlanner.node)
            let candidates = endpoints.candidates(portName: port.name.portName, protocol: port.name.protocolKind)
            return Hit(
                service: service, name: port.name, frontend: frontend,
                selection: EndpointSelection(candidates, wantsCluster: plan.usesCluster, wantsLocal: plan.usesLocal),
                policies: TrafficPolicies(service))
        }
        return nil
    }

    private func disposition(_ hit: Hit) -> FrontendPlan.Disposition {
        switch standing.place {
        case .podLocal, .nodeLocal: hit.frontend.internalTo
        case .outside: hit.frontend.externalTo
        }
    }

    private func refusal(
        _ outcome: Explanation.Outcome, _ hit: Hit, _ rules: [String], _ why: String
    ) -> Explanation {
        Explanation(
            outcome: outcome, service: hit.name.description, frontend: PlanReport.Frontend(hit.frontend), rules: rules,
            path: path, reason: "The \(source) that dials the \(hit.frontend.kind) of \(hit.name) \(why).")
    }

    private func forwarding(_ hit: Hit, to backends: [Backend], _ rules: [String]) -> Explanation {
        let (isMasqueraded, rule) = masquerade(hit)
        let hairpins = backends.filter { $0.address.address == standing.address }
        let masqueraded = isMasqueraded ? backends : hairpins
        let masquerade: Explanation.Masquerade =
            masqueraded.isEmpty ? .never : masqueraded.count == backends.count ? .always : .byBackend
        return Explanation(
            outcome: .dnat, service: hit.name.description, frontend: PlanReport.Frontend(hit.frontend),
            backends: backends.map(\.address.description), masquerade: masquerade,
            masqueradedBackends: masqueraded.map(\.address.description),
            rules: rules + [rule] + (hairpins.isEmpty ? [] : ["MASQ-5"]), path: path,
            reason: "The \(source) that dials the \(hit.frontend.kind) of \(hit.name) is sent to "
                + (backends.count == 1 ? "its only endpoint" : "one of \(backends.count) endpoints")
                + ", \(masquerade.phrase).")
    }

    /// Whether every connection is masqueraded whatever backend is drawn, and the rule that says so.
    private func masquerade(_ hit: Hit) -> (Bool, rule: String) {
        let settings = planner.settings
        guard hit.isClusterIP else {
            guard hit.policies.isExternalLocal else { return (true, "MASQ-4") }
            return standing.place == .nodeLocal ? (true, "MASQ-11") : (false, "MASQ-3")
        }
        if settings.masqueradeAll { return (true, "MASQ-6") }
        guard settings.localDetector.exists(for: family, on: planner.servicePlanner.node) else {
            return (false, "MASQ-8")
        }
        return standing.place == .podLocal ? (false, "MASQ-1") : (true, "MASQ-2")
    }
}

// Rule identifiers.
extension Explainer {
    private func clusterRules(_ hit: Hit) -> [String] {
        var rules = [hit.frontend.kind.rule]
        if !hit.isClusterIP {
            rules += hit.policies.isExternalLocal ? detectorRules(hit) + ["TP-6"] : ["TP-4"]
        }
        switch hit.selection.clusterBasis {
        case .ready: break
        case .readyHintedForNode: rules.append("TOPO-2")
        case .readyHintedForZone: rules.append("TOPO-1")
        case .terminating: rules.append("EP-13")
        }
        return rules
    }

    private func localRules(_ hit: Hit) -> [String] {
        var rules = [hit.frontend.kind.rule]
        rules += hit.isClusterIP ? ["TP-1"] : detectorRules(hit) + ["TP-5"]
        if hit.selection.localBasis == .terminating { rules.append("EP-14") }
        return rules
    }

    /// Where the source's kind and its place differ, the rule that made the difference.
    private func detectorRules(_ hit: Hit) -> [String] {
        let hasDetector = planner.settings.localDetector.exists(for: family, on: planner.servicePlanner.node)
        switch (source, standing.place) {
        case (.pod, .outside): return [hasDetector ? "TP-9" : "TP-8"]
        case (.external, .podLocal): return ["TP-9"]
        case (.external, .nodeLocal), (.pod, .nodeLocal): return ["TP-10"]
        case (.pod, .podLocal), (.external, .outside), (.node, _), (.localhost, _): return []
        }
    }
}

// Source ranges of load-balancer addresses, before anything else (LBSR-9).
extension Explainer {
    private enum Admission {
        case unrestricted
        case admitted(rule: String)
        case excluded(rules: [String])
    }

    private func admission(_ hit: Hit) -> Admission {
        let ranges = hit.frontend.sourceRanges
        guard !ranges.isEmpty else { return .unrestricted }
        if isAdmitted(by: SourceList(ranges: ranges, policy: hit.frontend.sourceRangesPolicy), hit) {
            return .admitted(rule: "LBSR-1")
        }
        if isOwnVirtualAddress(hit) { return .admitted(rule: "LBSR-4") }
        var rules = ["LBSR-1"]
        if path == .socket { rules.append("LBSR-3") }
        if !hit.selection.hasUsable { rules.append("LBSR-9") }
        return .excluded(rules: rules)
    }

    /// Where the address is unknown, the class of the source decides; an unknown outside client can be anywhere.
    private func isAdmitted(by list: SourceList, _ hit: Hit) -> Bool {
        if let address = standing.address { return list.admits(address) }
        return switch source {
        case .pod: hit.frontend.admitsPodSockets
        case .node, .localhost: hit.frontend.admitsHostSockets
        case .external: list.admits(all: .everything(of: family))
        }
    }

    /// The source is a load-balancer address of the service, and the ranges admit this node (LBSR-4): a packet by the
    /// node's own IP, a socket by its class.
    private func isOwnVirtualAddress(_ hit: Hit) -> Bool {
        guard let address = standing.address else { return false }
        if hit.frontend.virtualSources.contains(address) { return true }
        guard path == .socket, hit.service.loadBalancerIPs.contains(address) else { return false }
        return hit.frontend.admitsHostSockets
    }
}

extension FrontendPlan.Kind {
    /// The rule by which such a frontend exists.
    fileprivate var rule: String {
        switch self {
        case .clusterIP: "SVC-1"
        case .nodePort: "SVC-3"
        case .externalIP: "SVC-5"
        case .loadBalancer: "SVC-4"
        }
    }
}

extension Explanation.Masquerade {
    fileprivate var phrase: String {
        switch self {
        case .always: "masqueraded"
        case .never: "with its own source address"
        case .byBackend: "masqueraded only where the endpoint is the client itself"
        }
    }
}
