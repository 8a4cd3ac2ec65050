// Whatever somebody else does to the maps, an audit finds it and puts it right.

import CDatapathABI
import DatapathTestSupport
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@testable import DatapathImage

@Suite struct AuditTests {
    private static let web = ServicePortPlan.fixture(
        "shop/web",
        [
            .clusterIP("10.96.0.7:80"), .nodePort("192.0.2.1:30080"),
            .loadBalancer("203.0.113.1:80", ranges: ["10.0.0.0/8"]),
        ],
        cluster: ["10.1.0.1:80", "10.1.0.2:80", "10.1.0.3:80"], algorithm: .maglev)
    private static let key = FrontendKey(.fixture("10.96.0.7:80"), protocol: .tcp)

    private struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var found: @Sendable (AuditReport) -> Int
        var damage: @Sendable (inout MapContents) -> Void
    }

    @Test(
        "damage is found in its map and put right",
        arguments: [
            Case(testDescription: "a frontend removed", found: \.frontends) { $0.frontends[key] = nil },
            Case(testDescription: "a frontend changed", found: \.frontends) {
                $0.frontends[key]?.fields.external.action = UInt8(DP_ACTION_DROP.rawValue)
            },
            Case(testDescription: "a frontend of nobody", found: \.frontends) {
                $0.frontends[FrontendKey(.fixture("1.2.3.4:5"), protocol: .udp)] = $0.frontends[key]
            },
            Case(testDescription: "a backend changed", found: \.backends) { $0.backends[2].fields.port_be = 9 },
            Case(testDescription: "a backend cleared", found: \.backends) { $0.backends[2] = .free },
            Case(testDescription: "a backend of nobody", found: \.backends) { $0.backends.append($0.backends[1]) },
            Case(testDescription: "a set changed", found: \.slotRanges) {
                $0.slots[Int($0.frontends[key]?.fields.internal.set_word ?? 0)] = 7
            },
            Case(testDescription: "a table changed", found: \.slotRanges) {
                $0.slots[Int($0.frontends[key]?.fields.internal.table_word ?? 0)] = 7
            },
            Case(testDescription: "a name removed", found: \.services) { $0.services[1] = nil },
            Case(testDescription: "a name of nobody", found: \.services) { $0.services[9] = $0.services[1] },
            Case(testDescription: "a node port removed", found: \.nodePorts) { $0.nodePorts = [] },
            Case(testDescription: "a node port of nobody", found: \.nodePorts) {
                $0.nodePorts.insert(NodePortKey(port: 1, protocol: .tcp, family: .ipv4))
            },
            Case(testDescription: "a source range removed", found: \.sourceRanges) { $0.sourceRanges = [:] },
            Case(testDescription: "a source range turned round", found: \.sourceRanges) {
                for key in $0.sourceRanges.keys { $0.sourceRanges[key] = .deny }
            },
            Case(testDescription: "a source range of nobody", found: \.sourceRanges) {
                $0.sourceRanges[SourceRangeKey(CIDR(IPAddress(ipv4: 1)), serviceID: 1)] = .allow
            },
            Case(testDescription: "a service CIDR removed", found: \.serviceCIDRs) { $0.serviceCIDRs = [] },
        ])
    private func damage(_ given: Case) throws {
        var harness = ImageHarness()
        try harness.apply(Self.web)
        try harness.setServiceCIDRs([CIDR(IPAddress(ipv4: 0x0a60_0000))])
        let before = try harness.store.contents()
        harness.store.tamper(given.damage)
        let report = try harness.audit()
        #expect(given.found(report) == 1)
        #expect(report.differences == 1)
        #expect(try harness.store.contents() == before)
        #expect(harness.store.violations == [])
        #expect(try harness.audit().repair.isEmpty)
    }

    @Test("everything wiped comes back")
    func wiped() throws {
        var harness = ImageHarness()
        try harness.apply(Self.web)
        let before = try harness.store.contents()
        harness.store.tamper { $0 = MapContents() }
        #expect(try harness.audit().differences > 5)
        #expect(try harness.store.contents() == before)
    }

    @Test("space in its grace period is nobody's business")
    func quarantined() throws {
        var harness = ImageHarness()
        try harness.apply(Self.web)
        try harness.remove(Self.web.name)
        #expect(try harness.audit().differences == 0)
        try harness.reclaim()
        #expect(try harness.audit().differences == 0)
    }

    @Test("before everybody has spoken, nothing is too much")
    func beforeSync() throws {
        var harness = ImageHarness()
        try harness.apply(Self.web)
        harness.store.tamper { $0.nodePorts.insert(NodePortKey(port: 1, protocol: .tcp, family: .ipv4)) }
        try harness.restart()
        #expect(try harness.audit().differences == 0)
        try harness.apply(Self.web)
        try harness.removeUnclaimed()
        #expect(try harness.text.contains("node ports\n  30080/TCP IPv4\n"))
    }
}
