// Hints (semantics section 4). The node is n1 in zone-a unless a test says otherwise.

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct TopologyTests {
    struct Case: CustomTestStringConvertible {
        var name: String
        var zone: String? = "zone-a"
        var endpoints: [Endpoint]
        /// Last parts of the expected addresses.
        var expected: [Int]
        var testDescription: String { name }
    }

    static func endpoint(_ last: Int, zones: [String] = [], nodes: [String] = []) -> Endpoint {
        Endpoint(address: IPAddress(ipv4: 0x0af4_0200 + UInt32(last)), zoneHints: zones, nodeHints: nodes)
    }

    func expect(_ example: Case) {
        var endpoints = slice()
        endpoints.endpoints = example.endpoints
        let plan = plan(service(), endpoints, node: node { $0.zone = example.zone })
        #expect(plan.clusterTexts == example.expected.map { "10.244.2.\($0):8080" })
    }

    static let sameZone = [
        Case(
            name: "one per zone",
            endpoints: [
                endpoint(1, zones: ["zone-a"]), endpoint(2, zones: ["zone-b"]), endpoint(3, zones: ["zone-c"]),
            ], expected: [1]),
        Case(
            name: "several zones per endpoint",
            endpoints: [endpoint(1, zones: ["zone-b", "zone-a"]), endpoint(2, zones: ["zone-b"])], expected: [1]),
    ]

    @Test("TOPO-1: with hints on all ready endpoints only those for our zone are used", arguments: sameZone)
    func zoneHints(_ example: Case) { expect(example) }

    static let sameNode = [
        Case(
            name: "without a zone label", zone: nil,
            endpoints: [endpoint(1, nodes: ["n1"]), endpoint(2, nodes: ["n2"])], expected: [1]),
        Case(
            name: "node hints win over zone hints",
            endpoints: [
                endpoint(1, zones: ["zone-a"], nodes: ["n2"]), endpoint(2, zones: ["zone-b"], nodes: ["n2", "n1"]),
            ], expected: [2]),
    ]

    @Test("TOPO-2: node hints for us win over zones and need no zone label", arguments: sameNode)
    func nodeHints(_ example: Case) { expect(example) }

    static let fallbacks = [
        Case(
            name: "node hints for others, zone hints for us",
            endpoints: [
                endpoint(1, zones: ["zone-a"], nodes: ["n2"]), endpoint(2, zones: ["zone-b"], nodes: ["n3"]),
            ], expected: [1]),
        Case(
            name: "one node hint missing",
            endpoints: [endpoint(1, zones: ["zone-b"], nodes: ["n1"]), endpoint(2, zones: ["zone-a"])], expected: [2]),
        Case(
            name: "neither is usable",
            endpoints: [endpoint(1, zones: ["zone-b"], nodes: ["n2"]), endpoint(2, zones: ["zone-c"], nodes: ["n2"])],
            expected: [1, 2]),
    ]

    @Test("TOPO-3: unusable node hints leave zone hints, unusable zone hints leave all endpoints", arguments: fallbacks)
    func fallback(_ example: Case) { expect(example) }

    @Test("TOPO-4: when the endpoint hinted for this node becomes unready, its hints neither attract nor veto")
    func onlyReadyCount() {
        let plan = plan(
            service(),
            slice(
                .unready("10.244.1.1", on: "n1", zones: ["zone-a"], nodes: ["n1"]), .unready("10.244.1.2"),
                .ready("10.244.2.1", zones: ["zone-a"], nodes: ["n2"]),
                .ready("10.244.2.2", zones: ["zone-b"], nodes: ["n3"])))
        #expect(plan.clusterTexts == ["10.244.2.1:8080"])
    }

    static let ignored = [
        Case(
            name: "a ready endpoint without hints",
            endpoints: [endpoint(1, zones: ["zone-a"]), endpoint(2), endpoint(3, zones: ["zone-b"])],
            expected: [1, 2, 3]),
        Case(
            name: "no hint for our zone", endpoints: [endpoint(1, zones: ["zone-b"]), endpoint(2, zones: ["zone-c"])],
            expected: [1, 2]),
        Case(
            name: "no zone label", zone: nil,
            endpoints: [endpoint(1, zones: ["zone-a"]), endpoint(2, zones: ["zone-b"])], expected: [1, 2]),
        Case(
            name: "an empty zone label", zone: "",
            endpoints: [endpoint(1, zones: [""]), endpoint(2, zones: ["zone-b"])], expected: [1, 2]),
        Case(
            name: "names compare exactly",
            endpoints: [endpoint(1, zones: ["Zone-a"]), endpoint(2, zones: ["zone-a2"])], expected: [1, 2]),
    ]

    @Test("TOPO-5: incomplete or foreign hints, or a node without a zone, leave all endpoints", arguments: ignored)
    func ignoredHints(_ example: Case) { expect(example) }

    @Test("TOPO-6: local lists ignore hints")
    func localList() {
        let plan = plan(
            externalService { $0.externalTrafficPolicy = .local },
            slice(
                .ready("10.244.1.1", on: "n1", zones: ["zone-b"], nodes: ["n2"]),
                .ready("10.244.2.1", on: "n2", zones: ["zone-a"], nodes: ["n1"])))
        #expect(plan.localTexts == ["10.244.1.1:8080"])
        #expect(plan.clusterTexts == ["10.244.2.1:8080"])
    }

    @Test("TOPO-7: the hint decides, not where the endpoint really is")
    func hintDecides() {
        let plan = plan(
            service(),
            slice(.ready("10.244.1.1", on: "n1", nodes: ["n2"]), .ready("10.244.2.1", on: "n2", nodes: ["n1"])))
        #expect(plan.clusterTexts == ["10.244.2.1:8080"])
    }

    @Test("TOPO-8, SYNC-8: a change of this node's zone re-evaluates every service")
    func zoneChange() {
        var planner = planner(
            [service()], [slice(.ready("10.244.2.1", zones: ["zone-a"]), .ready("10.244.2.2", zones: ["zone-b"]))])
        #expect(planner.family()?.clusterTexts == ["10.244.2.1:8080"])
        #expect(planner.apply([.node("n1", node { $0.zone = "zone-b" })]).changed.count == 1)
        #expect(planner.family()?.clusterTexts == ["10.244.2.2:8080"])
        #expect(
            planner.apply([
                .node(
                    "n1",
                    node {
                        $0.zone = "zone-b"
                        $0.isLeaving = true
                    })
            ]).isEmpty)
    }

    @Test("TOPO-9: cluster and local list may have nothing in common")
    func reachableSet() {
        let plan = plan(
            externalService { $0.externalTrafficPolicy = .local },
            slice(.ready("10.244.1.1", on: "n1", zones: ["zone-b"]), .ready("10.244.2.1", zones: ["zone-a"])))
        #expect(Set(plan.clusterTexts + plan.localTexts) == ["10.244.1.1:8080", "10.244.2.1:8080"])
        #expect(Set(plan.clusterTexts).isDisjoint(with: plan.localTexts))
    }

    @Test("TOPO-10: hints also shape short-circuited traffic of an externalTrafficPolicy Local service")
    func scope() {
        let planner = planner(
            [externalService { $0.externalTrafficPolicy = .local }],
            [slice(.ready("10.244.2.1", zones: ["zone-a"]), .ready("10.244.2.2", zones: ["zone-b"]))])
        let answer = planner.explain(from: .pod("10.244.1.9"), to: "192.168.0.2:30080/TCP")
        #expect(answer.backends == ["10.244.2.1:8080"])
        #expect(answer.rules.contains("TOPO-1"))
    }
}
