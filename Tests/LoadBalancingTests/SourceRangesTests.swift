// loadBalancerSourceRanges (semantics section 10).

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct SourceRangesTests {
    static let virtualAddress: FrontendAddress = "1.2.3.4:80/TCP"
    let endpoints = [slice(.ready("10.244.2.1", on: "n2"))]

    func planner(_ ranges: [CIDR], endpoints: [EndpointSlice]? = nil, addresses: [IPAddress]? = nil) -> Planner {
        LoadBalancingTests.planner(
            [externalService { $0.loadBalancerSourceRanges = ranges }], endpoints ?? self.endpoints,
            addresses: addresses)
    }

    @Test("LBSR-1: a source outside of all ranges is dropped at the load-balancer address")
    func filter() {
        let planner = planner(["203.0.113.0/25", "198.51.100.0/24"])
        let inside = planner.explain(from: .external("198.51.100.9"), to: Self.virtualAddress)
        #expect(inside.outcome == .dnat && inside.rules.first == "LBSR-1")
        let outside = planner.explain(from: .external("203.0.113.130"), to: Self.virtualAddress)
        #expect(outside.outcome == .drop && outside.rules == ["LBSR-1"])
        #expect(planner.explain(from: .external(nil), to: Self.virtualAddress).outcome == .drop)
    }

    @Test("LBSR-2: ClusterIP, node port and ExternalIP are never filtered")
    func onlyVirtualAddresses() {
        let planner = planner(["203.0.113.0/25"])
        for target: FrontendAddress in ["172.30.0.1:80/TCP", "192.168.0.2:30080/TCP", "192.0.2.7:80/TCP"] {
            #expect(planner.explain(from: .external("203.0.113.130"), to: target).outcome == .dnat)
        }
        let frontends = planner.family()?.frontends ?? []
        #expect(frontends.filter { !$0.sourceRanges.isEmpty }.map(\.kind) == [.loadBalancer])
        #expect(frontends.filter { !$0.admitsHostSockets || !$0.admitsPodSockets }.map(\.kind) == [.loadBalancer])
    }

    @Test(
        "LBSR-3: pods and the node are subject too, before any short-circuit",
        arguments: [TrafficSource.pod("10.244.1.9"), .pod(nil), .node(nil), .localhost])
    func everybody(source: TrafficSource) {
        let answer = planner(["203.0.113.0/25"]).explain(from: source, to: Self.virtualAddress)
        #expect(answer.outcome == .drop)
        #expect(answer.rules == ["LBSR-1", "LBSR-3"])
    }

    struct Sockets: CustomTestStringConvertible {
        var name: String
        var ranges: [CIDR]
        var podCIDRs: [CIDR] = ["10.244.1.0/24"]
        var nodeAddresses: [IPAddress] = ["192.168.0.2"]
        var detector: NodeSettings.LocalDetector = .none
        var admitsHost: Bool
        var admitsPods: Bool
        var testDescription: String { name }
    }

    static let sockets = [
        Sockets(name: "no ranges", ranges: [], admitsHost: true, admitsPods: true),
        Sockets(name: "the node", ranges: ["192.168.0.0/24"], admitsHost: true, admitsPods: false),
        Sockets(name: "its pods", ranges: ["10.244.0.0/16"], admitsHost: false, admitsPods: true),
        Sockets(name: "half of its pods", ranges: ["10.244.1.0/25"], admitsHost: false, admitsPods: false),
        Sockets(
            name: "its pods in two halves", ranges: ["10.244.1.0/25", "10.244.1.128/25"], admitsHost: false,
            admitsPods: true),
        Sockets(
            name: "everything in two halves", ranges: ["0.0.0.0/1", "128.0.0.0/1"], podCIDRs: [], nodeAddresses: [],
            admitsHost: true, admitsPods: true),
        Sockets(
            name: "nothing known of node and pods", ranges: ["0.0.0.0/1"], podCIDRs: [], nodeAddresses: [],
            admitsHost: false, admitsPods: false),
        Sockets(
            name: "the cluster's pods stand in for the node's", ranges: ["10.244.0.0/16"], podCIDRs: [],
            detector: .clusterCIDR(["10.244.0.0/16"]), admitsHost: false, admitsPods: true),
        Sockets(
            name: "only a part of the cluster's pods", ranges: ["10.244.0.0/17"], podCIDRs: [],
            detector: .clusterCIDR(["10.244.0.0/16"]), admitsHost: false, admitsPods: false),
    ]

    @Test("LBSR-3: a socket without a source address is judged by its class", arguments: sockets)
    func socketClasses(_ example: Sockets) {
        let plan = plan(
            externalService { $0.loadBalancerSourceRanges = example.ranges },
            settings: settings { $0.localDetector = example.detector },
            node: node {
                $0.podCIDRs = example.podCIDRs
                $0.addresses = example.nodeAddresses
            })
        #expect(plan.frontend(.loadBalancer)?.admitsHostSockets == example.admitsHost)
        #expect(plan.frontend(.loadBalancer)?.admitsPodSockets == example.admitsPods)
    }

    /// Without a Node object.
    private func nodeless(_ addresses: [IPAddress]) -> Planner {
        var planner = Planner(settings: settings(), nodeAddresses: addresses)
        let service = externalService { $0.loadBalancerSourceRanges = ["10.1.0.0/16"] }
        _ = planner.apply([.service(service.name, service)] + endpoints.map { .endpointSlice($0.name, $0) })
        return planner
    }

    @Test("LBSR-3: without a Node object the addresses that the node has decide, as its class and one by one")
    func knownAddresses() {
        for source: TrafficSource in [.node(nil), .node("10.1.0.254"), .localhost] {
            let answer = nodeless(["10.1.0.254", "127.0.0.1"]).explain(from: source, to: Self.virtualAddress)
            #expect(answer.outcome == .dnat && answer.rules.first == "LBSR-1", "\(source): \(answer)")
        }
        for source: TrafficSource in [.node(nil), .node("192.0.2.99")] {
            let answer = nodeless(["192.0.2.99", "127.0.0.1"]).explain(from: source, to: Self.virtualAddress)
            #expect(answer.outcome == .drop, "\(source): \(answer)")
        }
        // A process may bind to the one that is admitted.
        let both = nodeless(["10.1.0.254", "192.0.2.99"])
        #expect(both.explain(from: .node(nil), to: Self.virtualAddress).outcome == .dnat)
        #expect(both.explain(from: .node("192.0.2.99"), to: Self.virtualAddress).outcome == .drop)
        #expect(nodeless(["127.0.0.1"]).explain(from: .node(nil), to: Self.virtualAddress).outcome == .drop)
    }

    @Test("LBSR-4: a source that is the service's own VIP passes if some range contains the node")
    func ownAddressAsSource() {
        let addresses: [IPAddress] = ["192.168.0.2", "1.2.3.4"]
        let admitted = planner(["192.168.0.0/24"], addresses: addresses)
            .explain(from: .node("1.2.3.4"), to: Self.virtualAddress)
        #expect(admitted.outcome == .dnat && admitted.rules.first == "LBSR-4")
        let excluded = planner(["203.0.113.0/25"], addresses: addresses)
        #expect(excluded.explain(from: .node("1.2.3.4"), to: Self.virtualAddress).outcome == .drop)
        let other = planner(["192.168.0.0/24"], addresses: addresses + ["192.0.2.7"])
        #expect(other.explain(from: .node("192.0.2.7"), to: Self.virtualAddress).outcome == .drop)
    }

    @Test("LBSR-5: ranges of the other family leave this family unrestricted")
    func otherFamily() {
        let planner = planner(["fd00::/8"])
        #expect(planner.family()?.frontend(.loadBalancer)?.sourceRanges == [])
        #expect(planner.explain(from: .external("203.0.113.130"), to: Self.virtualAddress).outcome == .dnat)
    }

    @Test("LBSR-6: a /0 among the ranges lifts the restriction, two halves remain a filter that admits all")
    func everything() {
        #expect(planner(["10.0.0.0/8", "0.0.0.0/0"]).family()?.frontend(.loadBalancer)?.sourceRanges == [])
        let halves = planner(["0.0.0.0/1", "128.0.0.0/1"])
        #expect(halves.family()?.frontend(.loadBalancer)?.sourceRanges.count == 2)
        for source: TrafficSource in [.external("203.0.113.130"), .external("1.1.1.1"), .external(nil)] {
            #expect(halves.explain(from: source, to: Self.virtualAddress).outcome == .dnat)
        }
        #expect(planner(["::/0", "10.0.0.0/8"]).family()?.frontend(.loadBalancer)?.sourceRanges == ["10.0.0.0/8"])
    }

    @Test("deny: sources inside are dropped, everybody else is admitted, sockets by their class")
    func deny() {
        func deny(_ ranges: [CIDR], addresses: [IPAddress]? = nil) -> Planner {
            LoadBalancingTests.planner(
                [
                    externalService {
                        $0.loadBalancerSourceRanges = ranges
                        $0.sourceRangesPolicy = .deny
                    }
                ], endpoints, addresses: addresses)
        }
        let planner = deny(["203.0.113.0/25", "10.244.1.7/32"])
        let outside = planner.explain(from: .external("203.0.113.1"), to: Self.virtualAddress)
        #expect(outside.outcome == .drop && outside.rules == ["LBSR-1"])
        #expect(outside.reason.hasSuffix("is inside of the source ranges that it denies."))
        #expect(planner.explain(from: .external("203.0.113.128"), to: Self.virtualAddress).outcome == .dnat)
        #expect(planner.explain(from: .external(nil), to: Self.virtualAddress).outcome == .drop)
        #expect(planner.explain(from: .node(nil), to: Self.virtualAddress).outcome == .dnat)
        // One pod is inside: a pod is excluded as long as nobody knows which.
        #expect(planner.explain(from: .pod(nil), to: Self.virtualAddress).outcome == .drop)
        #expect(planner.explain(from: .pod("10.244.1.9"), to: Self.virtualAddress).outcome == .dnat)
        let frontend = planner.family()?.frontend(.loadBalancer)
        #expect(frontend?.admitsHostSockets == true && frontend?.admitsPodSockets == false)
        #expect(frontend?.sourceRanges == ["10.244.1.7/32", "203.0.113.0/25"] && frontend?.sourceRangesPolicy == .deny)
        #expect(frontend?.virtualSources == ["1.2.3.4"])
        let node = deny(["192.168.0.0/24", "1.2.3.0/24"], addresses: ["192.168.0.2", "1.2.3.4"])
        #expect(node.explain(from: .node(nil), to: Self.virtualAddress).outcome == .drop)
        #expect(node.explain(from: .node("1.2.3.4"), to: Self.virtualAddress).outcome == .drop)
        let everybody = deny(["0.0.0.0/0"])
        #expect(everybody.explain(from: .external("1.1.1.1"), to: Self.virtualAddress).outcome == .drop)
        #expect(deny([]).explain(from: .external("1.1.1.1"), to: Self.virtualAddress).outcome == .dnat)
    }

    @Test("deny: the plan's report says so, and says nothing otherwise")
    func report() throws {
        func frontend(_ policy: Service.SourceRangesPolicy, _ ranges: [CIDR]) -> PlanReport.Frontend? {
            let planner = LoadBalancingTests.planner(
                [
                    externalService {
                        $0.loadBalancerSourceRanges = ranges
                        $0.sourceRangesPolicy = policy
                    }
                ], endpoints)
            return PlanReport(planner).servicePorts.first?.frontends.first { $0.kind == "LoadBalancer" }
        }
        #expect(frontend(.deny, ["10.0.0.0/8"])?.sourceRangesPolicy == "deny")
        #expect(frontend(.deny, [])?.sourceRangesPolicy == nil)
        #expect(frontend(.allow, ["10.0.0.0/8"])?.sourceRangesPolicy == nil)
    }

    @Test("LBSR-4: the service's own addresses are sources besides, of the family that the node is admitted in")
    func virtualSources() {
        #expect(planner(["192.168.0.0/24"]).family()?.frontend(.loadBalancer)?.virtualSources == ["1.2.3.4"])
        #expect(planner(["203.0.113.0/25"]).family()?.frontend(.loadBalancer)?.virtualSources == [])
        #expect(planner([]).family()?.frontend(.loadBalancer)?.virtualSources == [])
    }

    @Test("LBSR-7: host bits of a range do not matter")
    func hostBits() {
        let planner = planner(["203.0.113.77/25"])
        #expect(planner.explain(from: .external("203.0.113.2"), to: Self.virtualAddress).outcome == .dnat)
        #expect(planner.explain(from: .external("203.0.113.130"), to: Self.virtualAddress).outcome == .drop)
    }

    @Test("LBSR-9: a blocked source meets silence also when there are no endpoints")
    func order() {
        let planner = planner(["203.0.113.0/25"], endpoints: [])
        let blocked = planner.explain(from: .external("203.0.113.130"), to: Self.virtualAddress)
        #expect(blocked.outcome == .drop && blocked.rules == ["LBSR-1", "LBSR-9"])
        #expect(planner.explain(from: .external("203.0.113.2"), to: Self.virtualAddress).outcome == .reject)
    }
}
