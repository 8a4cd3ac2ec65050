// The table of REJ-2 as connections: what a new one meets when there is nothing to send it to (section 6, SVC-12).

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct RejectTests {
    static let sources: [TrafficSource] = [.pod("10.244.1.9"), .node(nil), .localhost, .external("203.0.113.2")]
    static let targets: [FrontendAddress] = [
        "172.30.0.1:80/TCP", "192.168.0.2:30080/TCP", "1.2.3.4:80/TCP", "192.0.2.7:80/TCP",
    ]

    @Test(
        "REJ-1, REJ-2: without any usable endpoint every connection is refused, on every path", arguments: sources,
        targets)
    func refused(source: TrafficSource, target: FrontendAddress) {
        for policy in [Service.TrafficPolicy.cluster, .local] {
            let service = externalService {
                $0.internalTrafficPolicy = policy
                $0.externalTrafficPolicy = policy
            }
            let answer = planner([service], [slice(.unready("10.244.2.1"))]).explain(from: source, to: target)
            #expect(answer.outcome == .reject)
            #expect(answer.rules == ["REJ-1"])
            #expect(answer.service == "default/web:http")
            #expect(answer.masquerade == nil && answer.backends.isEmpty)
        }
    }

    @Test("REJ-1: a service whose slices are all gone is refused")
    func noSlices() {
        #expect(plan(externalService()).disposition(.loadBalancer) == "reject/reject")
    }

    struct Cell: CustomTestStringConvertible {
        var source: TrafficSource
        var target: FrontendAddress
        var outcome: Explanation.Outcome
        var rule: String
        var testDescription: String { "\(source) to \(target)" }
    }

    static let cells = [
        Cell(source: .pod("10.244.1.9"), target: targets[0], outcome: .drop, rule: "TP-3"),
        Cell(source: .node(nil), target: targets[0], outcome: .drop, rule: "TP-3"),
        Cell(source: .external("203.0.113.2"), target: targets[0], outcome: .drop, rule: "TP-3"),
        Cell(source: .external("203.0.113.2"), target: targets[1], outcome: .drop, rule: "TP-7"),
        Cell(source: .external("203.0.113.2"), target: targets[2], outcome: .drop, rule: "TP-7"),
        Cell(source: .external("203.0.113.2"), target: targets[3], outcome: .drop, rule: "TP-7"),
        Cell(source: .pod("10.244.1.9"), target: targets[1], outcome: .dnat, rule: "TP-6"),
        Cell(source: .node(nil), target: targets[1], outcome: .dnat, rule: "TP-6"),
        Cell(source: .pod("10.244.1.9"), target: targets[2], outcome: .dnat, rule: "TP-6"),
        Cell(source: .node(nil), target: targets[2], outcome: .dnat, rule: "TP-6"),
        Cell(source: .pod(nil), target: targets[3], outcome: .dnat, rule: "TP-6"),
        Cell(source: .localhost, target: targets[3], outcome: .dnat, rule: "TP-6"),
    ]

    @Test(
        "REJ-2: with Local policies and endpoints elsewhere only, outside clients and ClusterIPs meet silence",
        arguments: cells)
    func elsewhere(_ cell: Cell) {
        let service = externalService {
            $0.internalTrafficPolicy = .local
            $0.externalTrafficPolicy = .local
        }
        let answer = planner([service], [slice(.ready("10.244.2.1", on: "n2"))])
            .explain(from: cell.source, to: cell.target)
        #expect(answer.outcome == cell.outcome)
        #expect(answer.rules.contains(cell.rule))
    }

    @Test("SVC-12: an undefined port of an active ClusterIP is refused, an unowned ServiceCIDR address is silence")
    func clusterIPHygiene() {
        var planner = planner([service()], [])
        _ = planner.apply([.serviceCIDR("kubernetes", ServiceCIDR(name: "kubernetes", ranges: ["172.30.0.0/16"]))])
        let undefined = planner.explain(from: .pod(nil), to: "172.30.0.1:81/TCP")
        #expect(undefined.outcome == .reject && undefined.rules == ["SVC-12"] && undefined.path == .socket)
        let unowned = planner.explain(from: .external(nil), to: "172.30.0.50:80/TCP")
        #expect(unowned.outcome == .drop && unowned.rules == ["SVC-12"] && unowned.path == .tc)
        let elsewhere = planner.explain(from: .pod(nil), to: "172.31.0.50:80/TCP")
        #expect(elsewhere.outcome == .notHandled && elsewhere.path == .none)
    }

    @Test("SVC-12: a range that is added or removed counts at once and is announced")
    func serviceCIDRs() {
        var planner = planner([], [], settings: settings { $0.serviceCIDRs = ["10.96.0.0/12"] })
        let added = planner.apply([.serviceCIDR("new", ServiceCIDR(name: "new", ranges: ["172.30.0.0/16"]))])
        #expect(added.serviceCIDRs == ["10.96.0.0/12", "172.30.0.0/16"])
        #expect(planner.apply([.serviceCIDR("new", ServiceCIDR(name: "new", ranges: ["172.30.0.0/16"]))]).isEmpty)
        #expect(planner.explain(from: .pod(nil), to: "172.30.9.9:80/TCP").outcome == .drop)
        #expect(planner.apply([.serviceCIDR("new", nil)]).serviceCIDRs == ["10.96.0.0/12"])
        #expect(planner.explain(from: .pod(nil), to: "172.30.9.9:80/TCP").outcome == .notHandled)
    }

    @Test("COEX-6: the ServiceCIDR drop also hits services of another proxy")
    func otherProxy() {
        let planner = planner(
            [service { $0.belongsToOtherProxy = true }], [], settings: settings { $0.serviceCIDRs = ["172.30.0.0/16"] })
        #expect(planner.explain(from: .pod(nil), to: "172.30.0.1:80/TCP").outcome == .drop)
    }

    struct Miss: CustomTestStringConvertible {
        var name: String
        var target: FrontendAddress
        var rules: [String]
        var change: @Sendable (inout Service) -> Void = { _ in }
        var testDescription: String { name }
    }

    static let misses = [
        Miss(name: "nothing of ours", target: "8.8.8.8:53/UDP", rules: []),
        Miss(name: "node port at another node", target: "192.168.0.3:30080/TCP", rules: ["NP-8"]),
        Miss(name: "node port on loopback", target: "127.0.0.1:30080/TCP", rules: ["NP-6"]),
        Miss(
            name: "another proxy", target: "1.2.3.4:80/TCP", rules: ["SVC-9"], change: { $0.belongsToOtherProxy = true }
        ),
        Miss(name: "ExternalName", target: "172.30.0.1:80/TCP", rules: ["SVC-7"], change: { $0.kind = .externalName }),
        Miss(
            name: "ExternalIP not allowed", target: "192.0.2.7:80/TCP", rules: ["SVC-11"],
            change: { $0.ports[0].port = 80 }),
    ]

    @Test("REJ-2: what no frontend has is left alone, with the rule that says why", arguments: misses)
    func notHandled(_ miss: Miss) {
        let planner = planner([externalService(miss.change)], [], settings: settings { $0.externalIPsAllowed = false })
        let answer = planner.explain(from: .localhost, to: miss.target)
        #expect(answer.outcome == .notHandled)
        #expect(answer.rules == miss.rules)
        #expect(answer.service == nil && answer.frontend == nil && answer.path == .none)
    }
}
