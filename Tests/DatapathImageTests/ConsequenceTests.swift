// What a change means for sockets and affinity records that exist (CT-2…CT-4, AFF-4…AFF-6).

import DatapathTestSupport
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@testable import DatapathImage

@Suite struct ConsequenceTests {
    private static func dns(
        _ endpoints: [String], serving: [String]? = nil, protocol protocolKind: TransportProtocol = .udp,
        affinity: UInt32? = nil, local: [String] = []
    ) -> ServicePortPlan {
        .fixture(
            "kube-system/dns", protocol: protocolKind,
            [
                local.isEmpty
                    ? .nodePort("192.0.2.1:30053") : .nodePort("192.0.2.1:30053", external: .local, internal: .cluster)
            ],
            cluster: endpoints, local: local, serving: serving, affinity: affinity)
    }

    // MARK: Sockets

    @Test(
        "sockets are stale when an endpoint stops serving, for TCP and UDP", arguments: [TransportProtocol.tcp, .udp])
    func lostEndpoint(protocolKind: TransportProtocol) throws {
        var harness = ImageHarness()
        try harness.apply(Self.dns(["10.1.0.1:53", "10.1.0.2:53"], protocol: protocolKind))
        #expect(harness.last.staleSockets.isEmpty)
        try harness.apply(Self.dns(["10.1.0.2:53", "10.1.0.3:53"], protocol: protocolKind))
        #expect(
            harness.last.staleSockets == [
                StaleSockets(
                    serviceID: 1, protocol: protocolKind, family: .ipv4,
                    serving: [.fixture("10.1.0.2:53"), .fixture("10.1.0.3:53")], lost: [.fixture("10.1.0.1:53")])
            ])
    }

    @Test("SCTP sockets are not translated and never stale")
    func sctp() throws {
        var harness = ImageHarness()
        try harness.apply(Self.dns(["10.1.0.1:53", "10.1.0.2:53"], protocol: .sctp))
        try harness.apply(Self.dns(["10.1.0.2:53"], protocol: .sctp))
        #expect(harness.last.staleSockets.isEmpty)
    }

    @Test("an endpoint that serves on while it terminates, or is out of use for other reasons, keeps its sockets")
    func stillServing() throws {
        var harness = ImageHarness()
        let serving = ["10.1.0.1:53", "10.1.0.2:53"]
        try harness.apply(Self.dns(serving))
        try harness.apply(Self.dns(["10.1.0.2:53"], serving: serving))
        #expect(!harness.last.frontends.isEmpty)
        #expect(harness.last.staleSockets.isEmpty)
    }

    @Test("when nothing serves any more sockets are kept, until something serves again")
    func nothingServes() throws {
        var harness = ImageHarness()
        try harness.apply(Self.dns(["10.1.0.1:53", "10.1.0.2:53"]))
        try harness.apply(Self.dns(["10.1.0.2:53"], serving: ["10.1.0.2:53"]))
        #expect(harness.last.staleSockets.map(\.lost) == [[.fixture("10.1.0.1:53")]])
        try harness.apply(Self.dns([]))
        #expect(harness.last.staleSockets.isEmpty)
        try harness.apply(Self.dns(["10.1.0.3:53"]))
        #expect(harness.last.staleSockets.map(\.lost) == [[.fixture("10.1.0.2:53")]])
        try harness.apply(Self.dns(["10.1.0.3:53", "10.1.0.4:53"]))
        #expect(harness.last.staleSockets.isEmpty)
    }

    @Test("an endpoint that comes back before anything else serves has lost nothing")
    func comesBack() throws {
        var harness = ImageHarness()
        try harness.apply(Self.dns(["10.1.0.1:53"]))
        try harness.apply(Self.dns([]))
        try harness.apply(Self.dns(["10.1.0.1:53"]))
        #expect(harness.last.staleSockets.isEmpty)
    }

    @Test("a service that is deleted keeps its sockets")
    func deleted() throws {
        var harness = ImageHarness()
        try harness.apply(Self.dns(["10.1.0.1:53"]))
        try harness.remove(.fixture("kube-system/dns", protocol: .udp))
        #expect(harness.last.staleSockets.isEmpty)
    }

    @Test("a sweep names everything that serves, service by service")
    func sweep() throws {
        var harness = ImageHarness()
        try harness.apply(
            Self.dns(["10.1.0.1:53"]),
            .fixture("a/none", [.clusterIP("10.96.0.1:80", to: .reject)]),
            .fixture("a/web", [.clusterIP("10.96.0.2:80")], cluster: ["10.1.0.9:80"]))
        let sweep = harness.socketSweep()
        #expect(sweep.map(\.serving) == [[.fixture("10.1.0.1:53")], [.fixture("10.1.0.9:80")]])
        #expect(sweep.allSatisfy { $0.lost.isEmpty })
    }

    @Test("sockets of an earlier run whose service has no endpoint are looked through as soon as one serves")
    func unknownAfterRestart() throws {
        var harness = ImageHarness()
        let other = ServicePortPlan.fixture(
            "a/other", protocol: .udp, [.clusterIP("10.96.0.1:53")], cluster: ["10.1.0.9:53"])
        try harness.apply(Self.dns(["10.1.0.1:53"]), other)
        try harness.apply(Self.dns([]))
        try harness.restart()
        // Other's manifest cannot be read at first.
        try harness.apply(Self.dns([]))
        #expect(harness.socketSweep().isEmpty)
        try harness.apply(Self.dns(["10.1.0.2:53"]), other)
        #expect(
            harness.last.staleSockets.map(\.serving) == [[.fixture("10.1.0.2:53")], [.fixture("10.1.0.9:53")]])
        try harness.apply(Self.dns(["10.1.0.2:53", "10.1.0.3:53"]), other)
        #expect(harness.last.staleSockets.isEmpty)
    }

    // MARK: Affinity

    @Test("records of a backend that left every list are forgotten")
    func affinityLost() throws {
        var harness = ImageHarness()
        try harness.apply(Self.dns(["10.1.0.1:53", "10.1.0.2:53"], affinity: 60))
        #expect(harness.last.lostAffinity.isEmpty)
        try harness.apply(Self.dns(["10.1.0.2:53"], affinity: 60))
        #expect(harness.last.lostAffinity == [LostAffinity(serviceID: 1, backendIDs: [1])])
    }

    @Test("records of a backend that is still in one list are kept")
    func affinityKept() throws {
        var harness = ImageHarness()
        try harness.apply(Self.dns(["10.1.0.1:53", "10.1.0.2:53"], affinity: 60, local: ["10.1.0.1:53"]))
        try harness.apply(Self.dns(["10.1.0.2:53"], affinity: 60, local: ["10.1.0.1:53"]))
        #expect(!harness.last.frontends.isEmpty)
        #expect(harness.last.lostAffinity.isEmpty)
    }

    @Test("a backend that another service keeps is forgotten for the service that lost it only")
    func affinityShared() throws {
        var harness = ImageHarness()
        let other = ServicePortPlan.fixture(
            "a/other", protocol: .udp, [.clusterIP("10.96.0.1:53")], cluster: ["10.1.0.1:53"], affinity: 60)
        try harness.apply(other, Self.dns(["10.1.0.1:53", "10.1.0.2:53"], affinity: 60))
        try harness.apply(Self.dns(["10.1.0.2:53"], affinity: 60))
        #expect(harness.last.quarantined.backendIDs.isEmpty)
        #expect(harness.last.lostAffinity == [LostAffinity(serviceID: 2, backendIDs: [1])])
    }

    @Test("without affinity there is nothing to forget; turned off, everything is")
    func affinityOff() throws {
        var harness = ImageHarness()
        try harness.apply(Self.dns(["10.1.0.1:53", "10.1.0.2:53"]))
        try harness.apply(Self.dns(["10.1.0.2:53"]))
        #expect(harness.last.lostAffinity.isEmpty)
        try harness.apply(Self.dns(["10.1.0.2:53"], affinity: 60))
        #expect(harness.last.lostAffinity.isEmpty)
        try harness.apply(Self.dns(["10.1.0.2:53"]))
        #expect(harness.last.lostAffinity == [LostAffinity(serviceID: 1, backendIDs: [2])])
    }

    @Test("records last as long as the frontend that has them, also when turning affinity off has failed before")
    func affinityOffLater() throws {
        var harness = ImageHarness(limits: ImageLimits(backends: 3))
        try harness.apply(Self.dns(["10.1.0.1:53"], affinity: 60))
        try harness.apply(Self.dns(["10.1.0.1:53", "10.1.0.2:53", "10.1.0.3:53"]))
        #expect(harness.image.failures.count == 1)
        #expect(harness.last.lostAffinity.isEmpty)
        try harness.apply(Self.dns(["10.1.0.1:53"]))
        #expect(harness.last.lostAffinity == [LostAffinity(serviceID: 1, backendIDs: [1])])
    }

    @Test("a service that is deleted leaves no records behind, since its id will be another's")
    func affinityDeleted() throws {
        var harness = ImageHarness()
        try harness.apply(Self.dns(["10.1.0.1:53", "10.1.0.2:53"], affinity: 60))
        try harness.remove(.fixture("kube-system/dns", protocol: .udp))
        #expect(harness.last.lostAffinity == [LostAffinity(serviceID: 1, backendIDs: [1, 2])])
    }

    @Test("a backend that left while the agent was away is forgotten when it comes back")
    func affinityAcrossRestart() throws {
        var harness = ImageHarness()
        try harness.apply(Self.dns(["10.1.0.1:53", "10.1.0.2:53"], affinity: 60))
        try harness.restart()
        try harness.apply(Self.dns(["10.1.0.2:53"], affinity: 60))
        #expect(harness.last.lostAffinity == [LostAffinity(serviceID: 1, backendIDs: [1])])
    }
}
