// Which addresses serve node ports (semantics section 11).

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct NodePortsTests {
    struct Case: CustomTestStringConvertible {
        var name: String
        var setting: NodeSettings.NodePortAddresses
        var localhost = false
        var nodeIPs: [IPAddress] = ["192.168.0.2", "2001:db8::2"]
        var addresses: [IPAddress] = NodePortsTests.all
        var ipv4: [String]
        var ipv6: [String] = ["2001:db8::2"]
        var testDescription: String { name }
    }

    static let all: [IPAddress] = ["127.0.0.1", "::1", "192.168.0.2", "192.168.1.2", "2001:db8::2", "2001:db8:1::2"]
    static let allIPv6 = ["2001:db8::2", "2001:db8:1::2"]

    func expect(_ example: Case) {
        let service = service {
            $0.kind = .nodePort
            $0.clusterIPs = [.ipv4: "172.30.0.1", .ipv6: "fd00:172::1"]
            $0.ports[0].nodePort = 30080
        }
        let planner = planner(
            [service], [],
            settings: settings {
                $0.nodePortAddresses = example.setting
                $0.localhostNodePorts = example.localhost
            }, node: node { $0.addresses = example.nodeIPs }, addresses: example.addresses)
        for (family, expected) in [(AddressFamily.ipv4, example.ipv4), (.ipv6, example.ipv6)] {
            let served = planner.family(family)?.frontends.filter { $0.kind == .nodePort } ?? []
            #expect(served.map(\.address.address.description) == expected)
            #expect(served.allSatisfy { $0.address.port == 30080 })
        }
    }

    static let defaults = [
        Case(name: "primary", setting: .primary, ipv4: ["192.168.0.2"]),
        Case(name: "all", setting: .all, ipv4: ["192.168.0.2", "192.168.1.2"], ipv6: allIPv6),
    ]

    @Test("NP-1: the default is the primary address, all means every address but loopback", arguments: defaults)
    func defaultAddresses(_ example: Case) {
        #expect(NodeSettings(nodeName: "n1").nodePortAddresses == .primary)
        expect(example)
    }

    static let ranges = [
        Case(
            name: "one of each family", setting: .ranges(["192.168.1.0/24", "2001:db8:1::/64"]), ipv4: ["192.168.1.2"],
            ipv6: ["2001:db8:1::2"]),
        Case(
            name: "several", setting: .ranges(["192.168.1.0/24", "192.168.0.2/32", "2001:db8::/64"]),
            ipv4: ["192.168.0.2", "192.168.1.2"]),
    ]

    @Test("NP-2: with ranges only local addresses inside of them serve", arguments: ranges)
    func insideRanges(_ example: Case) { expect(example) }

    @Test("NP-3: a family without a range of its own serves on all its addresses")
    func emptyFamily() {
        expect(
            Case(name: "", setting: .ranges(["2001:db8::/64"]), ipv4: ["192.168.0.2", "192.168.1.2"]))
    }

    @Test("NP-4: a /0 among the ranges is all")
    func everything() {
        expect(
            Case(
                name: "", setting: .ranges(["192.168.0.0/24", "0.0.0.0/0"]), ipv4: ["192.168.0.2", "192.168.1.2"],
                ipv6: Self.allIPv6))
    }

    static let primary = [
        Case(
            name: "IPv4-only node", setting: .primary, nodeIPs: ["192.168.0.2"], ipv4: ["192.168.0.2"], ipv6: allIPv6),
        Case(
            name: "loopback is no node IP", setting: .primary, nodeIPs: ["127.0.0.1", "2001:db8::2"],
            ipv4: ["192.168.0.2", "192.168.1.2"]),
        Case(
            name: "a node IP that the node does not have", setting: .primary, nodeIPs: ["203.0.113.9", "2001:db8::2"],
            ipv4: []),
    ]

    @Test("NP-5: primary is the node's IP of each family, all addresses in a family without one", arguments: primary)
    func primaryAddresses(_ example: Case) { expect(example) }

    static let loopback = [
        Case(name: "not wanted", setting: .all, ipv4: ["192.168.0.2", "192.168.1.2"], ipv6: allIPv6),
        Case(
            name: "all", setting: .all, localhost: true, ipv4: ["127.0.0.1", "192.168.0.2", "192.168.1.2"],
            ipv6: allIPv6),
        Case(name: "primary", setting: .primary, localhost: true, ipv4: ["192.168.0.2"]),
        Case(
            name: "inside of a range", setting: .ranges(["127.0.0.0/8", "2001:db8::/64"]), localhost: true,
            ipv4: ["127.0.0.1"]),
        Case(
            name: "outside of the ranges", setting: .ranges(["192.168.0.0/24", "::1/128"]), localhost: true,
            ipv4: ["192.168.0.2"], ipv6: []),
        Case(
            name: "inside of a range but not wanted", setting: .ranges(["127.0.0.0/8", "2001:db8::/64"]), ipv4: []),
    ]

    @Test(
        "NP-6: loopback serves only where it is wanted and inside of the ranges, and never for IPv6",
        arguments: loopback)
    func loopbackAddresses(_ example: Case) { expect(example) }

    @Test("NP-6: a loopback node port is for this node's processes, masqueraded")
    func loopbackSources() {
        let planner = planner(
            [externalService()], [slice(.ready("10.244.2.1"))],
            settings: settings {
                $0.nodePortAddresses = .all
                $0.localhostNodePorts = true
            })
        let target: FrontendAddress = "127.0.0.1:30080/TCP"
        let node = planner.explain(from: .localhost, to: target)
        #expect(node.outcome == .dnat && node.masquerade == .always && node.backends == ["10.244.2.1:8080"])
        #expect(planner.explain(from: .external("203.0.113.2"), to: target).outcome == .drop)
        #expect(planner.explain(from: .pod(nil), to: target).outcome == .notHandled)
    }

    @Test("NP-7: an address that the node gains or loses serves at once")
    func freshness() {
        let ranges = settings { $0.nodePortAddresses = .ranges(["10.0.0.0/8"]) }
        var planner = planner([externalService()], [], settings: ranges, addresses: ["192.168.0.2"])
        #expect(planner.family()?.frontend(.nodePort) == nil)
        #expect(planner.setNodeAddresses(["192.168.0.2", "10.9.9.9"]).changed.count == 1)
        #expect(planner.family()?.frontend(.nodePort)?.address.address == "10.9.9.9")
        #expect(planner.setNodeAddresses(["10.9.9.9", "192.168.0.2", "10.9.9.9"]).isEmpty)
        #expect(planner.setNodeAddresses(nil).changed.count == 1)
        #expect(planner.family()?.frontend(.nodePort) == nil)
    }

    @Test(
        "NP-8: any source may use a node port, and another node's address is not handled here",
        arguments: [TrafficSource.pod(nil), .node(nil), .external("203.0.113.2")])
    func anySource(source: TrafficSource) {
        let planner = planner([externalService()], [slice(.ready("10.244.2.1"))])
        #expect(planner.explain(from: source, to: "192.168.0.2:30080/TCP").outcome == .dnat)
        let other = planner.explain(from: source, to: "192.168.0.3:30080/TCP")
        #expect(other.outcome == .notHandled && other.rules == ["NP-8"])
    }

    struct Unserved: CustomTestStringConvertible {
        var setting: NodeSettings.NodePortAddresses
        var rules: [String]
        var testDescription: String { "\(rules)" }
    }

    static let unserved = [
        Unserved(setting: .primary, rules: ["NP-1", "NP-5"]),
        Unserved(setting: .ranges(["192.168.0.0/24"]), rules: ["NP-2"]),
    ]

    @Test("NP-1, NP-2: a node port on an address that does not serve is not handled", arguments: unserved)
    func unservedAddress(_ example: Unserved) {
        let planner = planner(
            [externalService()], [slice(.ready("10.244.2.1"))],
            settings: settings { $0.nodePortAddresses = example.setting }, addresses: Self.all)
        let answer = planner.explain(from: .external(nil), to: "192.168.1.2:30080/TCP")
        #expect(answer.outcome == .notHandled && answer.rules == example.rules)
    }

    @Test("NP-9: ranges that match no address leave node ports out and nothing else")
    func nothingMatches() {
        let plan = plan(
            externalService(), slice(.ready("10.244.2.1")),
            settings: settings { $0.nodePortAddresses = .ranges(["172.16.0.0/12"]) })
        #expect(plan.frontends.map(\.kind) == [.clusterIP, .externalIP, .loadBalancer])
        #expect(plan.usesCluster && !plan.cluster.isEmpty)
    }

    @Test("NP-10: both families use the same node port number")
    func bothFamilies() {
        expect(Case(name: "", setting: .primary, ipv4: ["192.168.0.2"]))
    }

    struct Listening: CustomTestStringConvertible {
        var name: String
        var setting: NodeSettings.NodePortAddresses
        var ipv4: [IPAddress]
        var ipv6: [IPAddress]
        var testDescription: String { name }
    }

    @Test(
        "HC-4: health checks listen everywhere, or where node ports are served, loopback included",
        arguments: [
            Listening(name: "all", setting: .all, ipv4: ["0.0.0.0"], ipv6: ["::"]),
            Listening(name: "primary", setting: .primary, ipv4: ["192.168.0.2"], ipv6: ["2001:db8::2"]),
            Listening(name: "loopback", setting: .ranges(["127.0.0.0/8"]), ipv4: ["127.0.0.1"], ipv6: ["::"]),
            Listening(
                name: "ranges", setting: .ranges(["192.168.0.0/16", "2001:db8:1::/64"]),
                ipv4: ["192.168.0.2", "192.168.1.2"], ipv6: ["2001:db8:1::2"]),
            Listening(name: "nowhere", setting: .ranges(["10.0.0.0/8", "fd00::/8"]), ipv4: [], ipv6: []),
        ])
    func healthChecks(_ example: Listening) {
        let planner = planner(
            [], [], settings: settings { $0.nodePortAddresses = example.setting },
            node: node { $0.addresses = ["192.168.0.2", "2001:db8::2"] }, addresses: Self.all)
        #expect(planner.healthCheckAddresses.ipv4 == example.ipv4)
        #expect(planner.healthCheckAddresses.ipv6 == example.ipv6)
    }
}
