// Whose source address the server sees (semantics section 8), as explained for one connection.

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct MasqueradeTests {
    static let clusterIP: FrontendAddress = "172.30.0.1:80/TCP"
    static let external: [FrontendAddress] = ["192.168.0.2:30080/TCP", "1.2.3.4:80/TCP", "192.0.2.7:80/TCP"]
    let endpoints = [slice(.ready("10.244.1.1", on: "n1"), .ready("10.244.2.1", on: "n2"))]

    struct Row: CustomTestStringConvertible {
        var source: TrafficSource
        var clusterIP: (Bool, rule: String)
        var localPolicy: (Bool, rule: String)
        var localBackends: [String]
        var testDescription: String { "\(source)" }
    }

    static let everywhere = ["10.244.1.1:8080", "10.244.2.1:8080"]
    static let rows = [
        Row(
            source: .pod("10.244.1.9"), clusterIP: (false, "MASQ-1"), localPolicy: (false, "MASQ-3"),
            localBackends: everywhere),
        Row(
            source: .pod(nil), clusterIP: (false, "MASQ-1"), localPolicy: (false, "MASQ-3"), localBackends: everywhere),
        Row(
            source: .node(nil), clusterIP: (true, "MASQ-2"), localPolicy: (true, "MASQ-11"), localBackends: everywhere),
        Row(
            source: .localhost, clusterIP: (true, "MASQ-2"), localPolicy: (true, "MASQ-11"), localBackends: everywhere),
        Row(
            source: .external("203.0.113.2"), clusterIP: (true, "MASQ-2"), localPolicy: (false, "MASQ-3"),
            localBackends: ["10.244.1.1:8080"]),
    ]

    @Test("MASQ-1, MASQ-2, MASQ-3, MASQ-4, MASQ-11: the summary table, with a detector", arguments: rows)
    func summary(_ row: Row) {
        let cluster = planner([externalService()], endpoints)
        let local = planner([externalService { $0.externalTrafficPolicy = .local }], endpoints)
        let toClusterIP = cluster.explain(from: row.source, to: Self.clusterIP)
        #expect(toClusterIP.masquerade == (row.clusterIP.0 ? .always : .never))
        #expect(toClusterIP.rules.last == row.clusterIP.rule)
        #expect(toClusterIP.masqueradedBackends == (row.clusterIP.0 ? Self.everywhere : []))
        for target in Self.external {
            let clusterPolicy = cluster.explain(from: row.source, to: target)
            #expect(clusterPolicy.masquerade == .always)
            #expect(clusterPolicy.rules.contains("TP-4") && clusterPolicy.rules.last == "MASQ-4")
            let localPolicy = local.explain(from: row.source, to: target)
            #expect(localPolicy.masquerade == (row.localPolicy.0 ? .always : .never))
            #expect(localPolicy.rules.last == row.localPolicy.rule)
            #expect(localPolicy.backends == row.localBackends)
        }
    }

    @Test("MASQ-4: the cluster policy masquerades although the only endpoint is on this node")
    func localEndpoint() {
        let planner = planner([externalService()], [slice(.ready("10.244.1.1", on: "n1"))])
        #expect(planner.explain(from: .pod("10.244.1.9"), to: Self.external[0]).masquerade == .always)
    }

    @Test("MASQ-5: a client that is one of several endpoints is masqueraded only where it is drawn itself")
    func hairpin() {
        let planner = planner([externalService { $0.externalTrafficPolicy = .local }], endpoints)
        for target in Self.external + [Self.clusterIP] {
            let answer = planner.explain(from: .pod("10.244.1.1"), to: target)
            #expect(answer.masquerade == .byBackend)
            #expect(answer.masqueradedBackends == ["10.244.1.1:8080"])
            #expect(answer.rules.last == "MASQ-5")
        }
    }

    @Test("MASQ-5: a client that is the only endpoint is always masqueraded")
    func onlyEndpoint() {
        let planner = planner([externalService()], [slice(.ready("10.244.1.1", on: "n1"))])
        let answer = planner.explain(from: .pod("10.244.1.1"), to: Self.clusterIP)
        #expect(answer.masquerade == .always)
        #expect(answer.masqueradedBackends == ["10.244.1.1:8080"])
    }

    @Test("MASQ-6: masqueradeAll masquerades ClusterIP traffic and leaves Local external traffic alone")
    func masqueradeAll() {
        let planner = planner(
            [externalService { $0.externalTrafficPolicy = .local }], endpoints,
            settings: settings { $0.masqueradeAll = true })
        #expect(planner.explain(from: .pod("10.244.1.9"), to: Self.clusterIP).masquerade == .always)
        #expect(planner.explain(from: .external("203.0.113.2"), to: Self.external[1]).masquerade == .never)
        #expect(planner.explain(from: .pod("10.244.1.9"), to: Self.external[1]).masquerade == .never)
    }

    @Test("MASQ-8: without a detector nobody's ClusterIP traffic is masqueraded", arguments: RejectTests.sources)
    func noDetector(source: TrafficSource) {
        let planner = planner([service()], endpoints, settings: settings { $0.localDetector = .none })
        let answer = planner.explain(from: source, to: Self.clusterIP)
        #expect(answer.masquerade == .never)
        #expect(answer.rules.last == "MASQ-8")
    }

    struct Detection: CustomTestStringConvertible {
        var name: String
        var detector: NodeSettings.LocalDetector
        var source: TrafficSource
        var isPodLocal: Bool
        var testDescription: String { name }
    }

    static let detections = [
        Detection(
            name: "ClusterCIDR, inside", detector: clusterCIDR, source: .external("10.244.9.9"), isPodLocal: true),
        Detection(
            name: "ClusterCIDR, outside", detector: clusterCIDR, source: .external("10.245.0.1"), isPodLocal: false),
        Detection(
            name: "ClusterCIDR, a pod outside", detector: clusterCIDR, source: .pod("10.245.0.1"), isPodLocal: false),
        Detection(
            name: "ClusterCIDR, the node inside", detector: .clusterCIDR(["192.168.0.0/16"]), source: .node(nil),
            isPodLocal: true),
        Detection(name: "NodeCIDR, this node's", detector: .nodeCIDR, source: .pod("10.244.1.9"), isPodLocal: true),
        Detection(name: "NodeCIDR, another node's", detector: .nodeCIDR, source: .pod("10.244.2.9"), isPodLocal: false),
        Detection(name: "NodeCIDR, some pod", detector: .nodeCIDR, source: .pod(nil), isPodLocal: true),
        Detection(name: "bridge, a pod", detector: .bridgeInterface("b"), source: .pod("10.9.9.9"), isPodLocal: true),
        Detection(name: "bridge, the node", detector: .bridgeInterface("b"), source: .node(nil), isPodLocal: false),
        Detection(
            name: "bridge, a host-network pod", detector: .bridgeInterface("b"), source: .pod("192.168.0.2"),
            isPodLocal: false),
        Detection(
            name: "prefix, an outside client", detector: .interfaceNamePrefix("veth"), source: .external("10.244.1.9"),
            isPodLocal: false),
    ]

    @Test("MASQ-9: each detector recognises what it should", arguments: detections)
    func detectors(_ example: Detection) {
        let planner = planner([service()], endpoints, settings: settings { $0.localDetector = example.detector })
        let answer = planner.explain(from: example.source, to: Self.clusterIP)
        #expect(answer.masquerade == (example.isPodLocal ? .never : .always))
    }

    @Test("MASQ-9: a family without a ClusterCIDR has no detector")
    func detectorOfOtherFamily() {
        let planner = planner(
            [service()], endpoints, settings: settings { $0.localDetector = .clusterCIDR(["fd00:244::/32"]) })
        #expect(planner.explain(from: .external(nil), to: Self.clusterIP).rules.last == "MASQ-8")
    }

    @Test("MASQ-9: NodeCIDR without pod ranges is no detector, and takes the first range of the family")
    func nodeCIDRs() {
        let nodeCIDR = settings { $0.localDetector = .nodeCIDR }
        let none = planner([service()], endpoints, settings: nodeCIDR, node: node { $0.podCIDRs = [] })
        #expect(none.explain(from: .external(nil), to: Self.clusterIP).rules.last == "MASQ-8")
        let two = node { $0.podCIDRs = ["10.244.1.0/24", "10.244.7.0/24"] }
        let first = planner([service()], endpoints, settings: nodeCIDR, node: two)
        #expect(first.explain(from: .pod("10.244.7.1"), to: Self.clusterIP).masquerade == .always)
    }

    @Test("MASQ-12: internalTrafficPolicy has no influence on masquerading", arguments: RejectTests.sources)
    func internalPolicy(source: TrafficSource) {
        let cluster = planner([service()], endpoints).explain(from: source, to: Self.clusterIP)
        let local = planner([service { $0.internalTrafficPolicy = .local }], endpoints)
            .explain(from: source, to: Self.clusterIP)
        #expect(local.backends == ["10.244.1.1:8080"])
        #expect(local.masquerade == cluster.masquerade)
    }
}
