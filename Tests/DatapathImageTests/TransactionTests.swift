// The writes themselves: few, in the order that keeps every packet on a whole configuration, with stable identifiers.

import DatapathTestSupport
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@testable import DatapathImage

@Suite struct TransactionTests {
    private static func web(_ endpoints: [String], algorithm: Service.Algorithm = .random) -> ServicePortPlan {
        .fixture("shop/web", [.clusterIP("10.96.0.7:80")], cluster: endpoints, algorithm: algorithm)
    }

    @Test("who is refused at an address's unused ports follows from what it is to services that have it")
    func wildcards() throws {
        let address = "203.0.113.5"
        let inside = ServicePortPlan.fixture("a/inside", [.clusterIP("\(address):80")], cluster: ["10.1.0.1:80"])
        let outside = ServicePortPlan.fixture("a/outside", [.externalIP("\(address):81")], cluster: ["10.1.0.1:80"])
        var harness = ImageHarness()
        try harness.apply(outside)
        #expect(try harness.text.contains("\(address):* wildcard outside-only"))
        try harness.apply(inside)
        #expect(try harness.text.contains("\(address):* wildcard\n"))
        try harness.remove(inside.name)
        #expect(try harness.text.contains("\(address):* wildcard outside-only"))
        try harness.restart()
        try harness.apply(outside)
        try harness.removeUnclaimed()
        #expect(try harness.text.contains("\(address):* wildcard outside-only"))
        try harness.remove(outside.name)
        #expect(try !harness.text.contains("wildcard"))
        #expect(harness.store.violations == [])
    }

    @Test("a new service: space and names first, then the frontends")
    func added() throws {
        var harness = ImageHarness()
        try harness.apply(Self.web(["10.1.0.1:80", "10.1.0.2:80", "10.1.0.3:80"]))
        #expect(
            harness.last.description == """
                1 slots 0..<2: 200000001 3
                1 backend 1 = 10.1.0.1:80/TCP weight 1
                1 backend 2 = 10.1.0.2:80/TCP weight 1
                1 backend 3 = 10.1.0.3:80/TCP weight 1
                1 service 1 = shop/web/TCP
                2 frontend 10.96.0.7:* = wildcard: reject
                2 frontend 10.96.0.7:80/TCP = ClusterIP service 1: forward set 0 of 3

                """)
    }

    @Test("an endpoint leaves: a new set, one flip, and the old space is kept for the grace period")
    func endpointLeaves() throws {
        var harness = ImageHarness()
        try harness.apply(Self.web(["10.1.0.1:80", "10.1.0.2:80", "10.1.0.3:80"]))
        try harness.apply(Self.web(["10.1.0.1:80", "10.1.0.3:80"]))
        #expect(
            harness.last.description == """
                1 slots 2..<3: 300000001
                2 frontend 10.96.0.7:80/TCP = ClusterIP service 1: forward set 2 of 2
                4 quarantine slots 0..<2
                4 quarantine backend 2
                4 stale sockets of service 1 TCP IPv4: serving 10.1.0.1:80 10.1.0.3:80, lost 10.1.0.2:80

                """)
        try harness.reclaim()
        #expect(harness.last.description == "1 backend 2 free\n")
        try harness.reclaim()
        #expect(harness.last.isEmpty)
    }

    @Test("space in quarantine is not given away; after the grace period it is")
    func quarantine() throws {
        var harness = ImageHarness(limits: ImageLimits(backends: 4, slotWords: 3))
        try harness.apply(Self.web(["10.1.0.1:80", "10.1.0.2:80", "10.1.0.3:80"]))
        try harness.apply(Self.web(["10.1.0.1:80"]))
        #expect(harness.image.usage.slotWords == 3)
        try harness.apply(Self.web(["10.1.0.4:80"]))
        #expect(harness.image.failures.map(\.reason) == [.backendsFull(limit: 4)])
        try harness.reclaim()
        #expect(harness.image.usage.slotWords == 1)
        try harness.retryFailed()
        #expect(harness.image.failures.isEmpty)
        #expect(try harness.text.contains("forward to 10.1.0.4:80"))
    }

    @Test("a service that goes takes everything with it, after the grace period also its id and name")
    func removed() throws {
        var harness = ImageHarness()
        let plan = Self.web(["10.1.0.1:80"], algorithm: .maglev)
        try harness.apply(plan)
        try harness.remove(plan.name)
        #expect(
            harness.last.description == """
                3 remove frontend 10.96.0.7:*
                3 remove frontend 10.96.0.7:80/TCP
                4 quarantine slots 0..<1
                4 quarantine backend 1
                4 quarantine service 1

                """)
        try harness.reclaim()
        #expect(harness.last.description == "1 backend 1 free\n3 remove service 1\n")
    }

    @Test("turning the algorithm over is one flip of a live service")
    func algorithm() throws {
        var harness = ImageHarness()
        let endpoints = ["10.1.0.1:80", "10.1.0.2:80"]
        try harness.apply(Self.web(endpoints))
        try harness.apply(Self.web(endpoints, algorithm: .maglev))
        #expect(harness.last.frontends.count == 1 && harness.last.backends.isEmpty)
        #expect(harness.last.slots.words.count == (401 + 7) / 8)
        #expect(harness.last.quarantined.isEmpty)
        try harness.apply(Self.web(endpoints))
        #expect(harness.last.slots.isEmpty)
        #expect(harness.last.quarantined.slotRanges.map(\.count) == [51])
    }

    @Test("a change that no map shows writes nothing")
    func invisible() throws {
        var harness = ImageHarness()
        var plan = Self.web(["10.1.0.1:80"])
        try harness.apply(plan)
        plan.healthCheckNodePort = 30000
        try harness.apply(plan)
        #expect(harness.last.isEmpty)
    }

    @Test("a service port keeps its id through every change")
    func stableID() throws {
        var harness = ImageHarness()
        let other = ServicePortPlan.fixture("shop/api", [.clusterIP("10.96.0.8:80")], cluster: ["10.1.0.9:80"])
        try harness.apply(other, Self.web(["10.1.0.1:80"]))
        let id = harness.image.serviceID(of: .fixture("shop/web"))
        try harness.apply(Self.web(["10.1.0.2:80"]))
        try harness.remove(other.name)
        try harness.reclaim()
        #expect(id == 2)
        #expect(harness.image.serviceID(of: .fixture("shop/web")) == id)
        #expect(id.flatMap { harness.image.serviceName(of: $0) } == .fixture("shop/web"))
        #expect(harness.image.serviceID(of: other.name) == nil)
    }

    @Test("a service of 400 ports over the same endpoints has one table, and 400 sets of a few words")
    func sharedTable() throws {
        var harness = ImageHarness()
        let plans = (1...400).map { number in
            ServicePortPlan.fixture(
                "shop/web:p\(number)", [.clusterIP("10.96.0.7:\(number)")],
                cluster: (1...4).map { "10.1.0.\($0):\(number)" }, algorithm: .maglev)
        }
        try harness.apply(plans.map(\.change))
        #expect(harness.image.usage.slotWords == 400 * 2 + (401 + 7) / 8)
        #expect(try harness.store.contents().wrongTables() == [])
    }

    @Test("services over the same endpoints share one set; it goes with the last of them")
    func sharedSet() throws {
        var harness = ImageHarness()
        let plans = (1...3).map {
            ServicePortPlan.fixture("shop/s\($0)", [.clusterIP("10.96.0.\($0):80")], cluster: ["10.1.0.1:80"])
        }
        try harness.apply(plans.map(\.change))
        #expect(harness.image.usage.slotWords == 1)
        try harness.remove(plans[0].name, plans[1].name)
        #expect(harness.last.quarantined.slotRanges.isEmpty && harness.last.quarantined.backendIDs.isEmpty)
        try harness.remove(plans[2].name)
        #expect(harness.last.quarantined.slotRanges == [0..<1] && harness.last.quarantined.backendIDs == [1])
    }

    @Test("a frontend passes from one service port to another with one write, whoever is named first")
    func handover() throws {
        let address = "203.0.113.5:80"
        let before = ServicePortPlan.fixture("a/old", [.externalIP(address)], cluster: ["10.1.0.1:80"])
        let after = ServicePortPlan.fixture("b/new", [.externalIP(address)], cluster: ["10.1.0.2:80"])
        for changes in [[before.removal, after.change], [after.change, before.removal]] {
            var harness = ImageHarness()
            try harness.apply(before)
            try harness.apply(changes)
            #expect(harness.last.frontends.count == 1 && harness.last.removedFrontends.isEmpty)
            #expect(harness.last.frontends.first?.previous != nil)
            #expect(try harness.text.contains("203.0.113.5:80/TCP ExternalIP b/new/TCP\n    forward to 10.1.0.2:80"))
        }
    }

    @Test("a frontend that another service port holds waits for it, and says so")
    func conflict() throws {
        let first = ServicePortPlan.fixture("a/first", [.externalIP("203.0.113.5:80")], cluster: ["10.1.0.1:80"])
        let second = ServicePortPlan.fixture(
            "b/second", [.clusterIP("10.96.0.2:80"), .externalIP("203.0.113.5:80")], cluster: ["10.1.0.2:80"])
        var harness = ImageHarness()
        try harness.apply(first, second)
        #expect(
            harness.image.failures.map(\.description) == [
                "frontend 203.0.113.5:80/TCP of service port b/second is not programmed: "
                    + "the frontend belongs to service port a/first"
            ])
        #expect(try harness.text.contains("10.96.0.2:80/TCP ClusterIP b/second"))
        try harness.remove(first.name)
        #expect(harness.last.frontends.count == 1 && harness.last.removedFrontends.isEmpty)
        #expect(harness.image.failures.isEmpty)
    }

    @Test("a node port is protected as long as one frontend has it")
    func nodePorts() throws {
        var harness = ImageHarness()
        let both = ServicePortPlan.fixture(
            "shop/web", [.nodePort("192.0.2.1:30080"), .nodePort("192.0.2.2:30080")], cluster: ["10.1.0.1:80"])
        let one = ServicePortPlan.fixture("shop/web", [.nodePort("192.0.2.2:30080")], cluster: ["10.1.0.1:80"])
        try harness.apply(both)
        #expect(harness.last.nodePorts == [NodePortKey(port: 30080, protocol: .tcp, family: .ipv4)])
        try harness.apply(one)
        #expect(harness.last.nodePorts.isEmpty && harness.last.removedNodePorts.isEmpty)
        try harness.remove(one.name)
        #expect(harness.last.removedNodePorts == [NodePortKey(port: 30080, protocol: .tcp, family: .ipv4)])
    }

    @Test("a node port is protected in each family by itself")
    func nodePortFamilies() throws {
        var harness = ImageHarness()
        let both = ServicePortPlan.fixture(
            "shop/web", [.nodePort("192.0.2.1:30080"), .nodePort("[2001:db8::1]:30080")],
            cluster: ["10.1.0.1:80", "[fd00::1]:80"])
        let one = ServicePortPlan.fixture("shop/web", [.nodePort("[2001:db8::1]:30080")], cluster: ["[fd00::1]:80"])
        try harness.apply(both)
        #expect(
            harness.last.nodePorts == [
                NodePortKey(port: 30080, protocol: .tcp, family: .ipv4),
                NodePortKey(port: 30080, protocol: .tcp, family: .ipv6),
            ])
        try harness.apply(one)
        #expect(harness.last.removedNodePorts == [NodePortKey(port: 30080, protocol: .tcp, family: .ipv4)])
    }

    @Test("service CIDRs follow what is wanted")
    func serviceCIDRs() throws {
        var harness = ImageHarness(limits: ImageLimits(serviceCIDRs: 2))
        let ranges = ["10.96.0.0/12", "10.112.0.0/12", "fd00::/108"].compactMap { CIDR($0) }
        try harness.setServiceCIDRs([ranges[0], ranges[2]])
        #expect(try harness.text == "service CIDRs\n  10.96.0.0/12\n  fd00::/108\n")
        try harness.setServiceCIDRs([ranges[1], ranges[2]])
        #expect(harness.image.failedServiceCIDRs == [ranges[1]])
        try harness.retryFailed()
        #expect(try harness.text == "service CIDRs\n  10.112.0.0/12\n  fd00::/108\n")
        #expect(harness.image.failedServiceCIDRs.isEmpty && !harness.image.hasFailures)
        try harness.setServiceCIDRs([])
        #expect(try harness.text == "")
    }

    @Test("changed weights are written where people look for them, also if no table changes")
    func weights() throws {
        var harness = ImageHarness()
        try harness.apply(Self.web(["10.1.0.1:80*2", "10.1.0.2:80*2"]))
        try harness.apply(Self.web(["10.1.0.1:80*4", "10.1.0.2:80*4"]))
        #expect(
            harness.last.description
                == "1 backend 1 = 10.1.0.1:80/TCP weight 4\n1 backend 2 = 10.1.0.2:80/TCP weight 4\n")
        try harness.apply(Self.web(["10.1.0.1:80*4", "10.1.0.2:80*8"]))
        #expect(harness.last.frontends.count == 1)
        #expect(try harness.store.contents().wrongTables() == [])
    }

    @Test("of two plans for one name in one call, the last counts")
    func repetition() throws {
        var harness = ImageHarness()
        try harness.apply(Self.web(["10.1.0.1:80"]), Self.web(["10.1.0.2:80"]))
        #expect(try harness.text.contains("forward to 10.1.0.2:80\n"))
        #expect(harness.last.backends.count == 1)
    }
}
