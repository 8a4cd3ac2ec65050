// After a restart: the same names keep their ids, the same lists their space, and damage is not believed.

import CDatapathABI
import DatapathTestSupport
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@testable import DatapathImage

@Suite struct RestoreTests {
    private static let web = ServicePortPlan.fixture(
        "shop/web", [.clusterIP("10.96.0.7:80"), .nodePort("192.0.2.1:30080", external: .local)],
        cluster: ["10.1.0.1:80", "10.1.0.2:80*2", "10.1.0.3:80"], local: ["10.1.0.1:80", "10.1.0.2:80*2"],
        algorithm: .maglev, affinity: 60)
    private static let dns = ServicePortPlan.fixture(
        "kube-system/dns", protocol: .udp, [.clusterIP("10.96.0.10:53"), .clusterIP("[fd00:96::a]:53")],
        cluster: ["10.1.0.5:53", "10.1.0.6:53", "[fd00:1::5]:53"])

    /// Maps whose ids are not what a fresh image would choose: others have come and gone before.
    private static func filled() throws -> ImageHarness {
        var harness = ImageHarness()
        let early = ServicePortPlan.fixture(
            "a/early", [.clusterIP("10.96.0.1:1")], cluster: ["10.1.9.1:1", "10.1.9.2:1"])
        try harness.apply(early)
        try harness.apply(dns)
        try harness.apply(web)
        try harness.remove(early.name)
        try harness.reclaim()
        try harness.setServiceCIDRs(ranges)
        return harness
    }

    private static let ranges = [CIDR(IPAddress(ipv4: 0x0a60_0000))]

    @Test("the same plans write nothing, in whatever order they come", arguments: [[web, dns], [dns, web]])
    func sameAgain(plans: [ServicePortPlan]) throws {
        var harness = try Self.filled()
        let text = try harness.text
        let ids = plans.map { harness.image.serviceID(of: $0.name) }
        try harness.restart()
        for plan in plans {
            try harness.apply(plan)
            #expect(harness.last.description == "")
        }
        try harness.setServiceCIDRs(Self.ranges)
        #expect(harness.last.description == "")
        try harness.removeUnclaimed()
        #expect(harness.last.description == "")
        #expect(try harness.text == text)
        #expect(plans.map { harness.image.serviceID(of: $0.name) } == ids)
    }

    @Test("nothing is removed before everybody has spoken; then what nobody claims is")
    func unclaimed() throws {
        var harness = try Self.filled()
        try harness.restart()
        try harness.apply(Self.web)
        try harness.setServiceCIDRs([])
        #expect(try harness.text.contains("10.96.0.10:53/UDP"))
        #expect(try harness.text.contains("service CIDRs"))
        try harness.removeUnclaimed()
        #expect(
            harness.last.removedFrontends.map(\.key.description) == [
                "10.96.0.10:*", "10.96.0.10:53/UDP", "[fd00:96::a]:*", "[fd00:96::a]:53/UDP",
            ])
        try harness.reclaim()
        var expected = ImageHarness()
        try expected.apply(Self.web)
        #expect(try harness.text == (try expected.text))
        #expect(harness.store.violations.isEmpty)
    }

    @Test("a frontend that its service no longer has stays until everybody has spoken")
    func droppedFrontend() throws {
        var harness = try Self.filled()
        try harness.restart()
        try harness.setServiceCIDRs(Self.ranges)
        var fewer = Self.web
        fewer.families[0].frontends.removeAll { $0.kind == .nodePort }
        try harness.apply(fewer, Self.dns)
        #expect(harness.last.removedFrontends.isEmpty)
        try harness.removeUnclaimed()
        #expect(harness.last.removedFrontends.map(\.key.description) == ["192.0.2.1:30080/TCP"])
        #expect(harness.last.removedNodePorts == [NodePortKey(port: 30080, protocol: .tcp, family: .ipv4)])
    }

    @Test("what services that were read no longer have goes at once; what may be another's stays")
    func someUnread() throws {
        var harness = try Self.filled()
        try harness.apply(
            .fixture("shop/gone", [.clusterIP("10.96.0.7:99"), .nodePort("192.0.2.1:30099")], cluster: ["10.1.0.9:1"]))
        try harness.restart()
        var moved = Self.web
        moved.families[0].frontends.removeAll { $0.kind == .nodePort }
        try harness.apply(moved)
        #expect(harness.image.unclaimedFrontends == 5)
        try harness.removeUnclaimed(of: [Self.web.name.service])
        // The second is on web's own ClusterIP. The node port is not: it and dns may be those of broken objects.
        #expect(harness.last.removedFrontends.map(\.key.description) == ["10.96.0.7:99/TCP", "192.0.2.1:30080/TCP"])
        #expect(harness.image.unclaimedFrontends == 3)
        #expect(try harness.text.contains("10.96.0.10:53/UDP"))
        try harness.removeUnclaimed(of: [Self.web.name.service])
        #expect(harness.last.description == "")
        try harness.removeUnclaimed()
        try harness.reclaim()
        var expected = ImageHarness()
        try expected.apply(moved)
        #expect(try harness.text == (try expected.text))
        #expect(harness.store.violations.isEmpty)
    }

    @Test("changes made while the agent was away are one flip, with the old space in quarantine")
    func changedMeanwhile() throws {
        var harness = try Self.filled()
        try harness.restart()
        try harness.setServiceCIDRs(Self.ranges)
        var changed = Self.dns
        changed.families[0].cluster.removeFirst()
        try harness.apply(changed, Self.web)
        #expect(harness.last.frontends.map(\.key.description) == ["10.96.0.10:53/UDP"])
        try harness.removeUnclaimed()
        #expect(harness.last.quarantined.backendIDs.isEmpty)
        #expect(harness.store.violations.isEmpty)
    }

    @Test("what is missing is added again: a wildcard, a node port, a name")
    func missing() throws {
        var harness = try Self.filled()
        let text = try harness.text
        harness.store.tamper { maps in
            maps.frontends[FrontendKey(wildcard: IPAddress(ipv4: 0x0a60_0007))] = nil
            maps.nodePorts = []
        }
        try harness.restart()
        try harness.setServiceCIDRs(Self.ranges)
        try harness.apply(Self.web, Self.dns)
        try harness.removeUnclaimed()
        #expect(try harness.text == text)
    }

    private struct Damage: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var damage: @Sendable (inout dp_frontend) -> Void
    }

    @Test(
        "a record that contradicts itself is not believed, and is written anew",
        arguments: [
            Damage(testDescription: "a set beyond the arena") { $0.internal.set_word = 9_000_000 },
            Damage(testDescription: "a set as large as the arena") { $0.external.set_count = .max },
            Damage(testDescription: "a table into a set") { $0.internal.table_word = $0.internal.set_word },
            Damage(testDescription: "a table that is cut") { $0.external.table_slots -= 100 },
            Damage(testDescription: "a width that is none") { $0.internal.table_width = 3 },
            Damage(testDescription: "an action that is none") { $0.internal.action = 9 },
            Damage(testDescription: "no action") { $0.external.action = 0 },
            Damage(testDescription: "a kind that is none") { $0.kind = 77 },
            Damage(testDescription: "forward to nobody") { $0.internal.set_count = 0 },
            Damage(testDescription: "refuse, with a set") { $0.internal.action = UInt8(DP_ACTION_REJECT.rawValue) },
            Damage(testDescription: "another service's id") { $0.service_id = 60_000 },
        ])
    private func contradictions(_ given: Damage) throws {
        var harness = try Self.filled()
        let text = try harness.text
        let key = FrontendKey(.fixture("192.0.2.1:30080"), protocol: .tcp)
        harness.store.tamper { given.damage(&$0.frontends[key, default: FrontendRecord(dp_frontend())].fields) }
        try harness.restart()
        try harness.setServiceCIDRs(Self.ranges)
        try harness.apply(Self.dns, Self.web)
        #expect(harness.last.frontends.contains { $0.key == key })
        try harness.removeUnclaimed()
        try harness.reclaim()
        #expect(try harness.text == text)
        #expect(harness.store.violations == [])
        try harness.remove(Self.dns.name, Self.web.name)
        try harness.setServiceCIDRs([])
        try harness.reclaim()
        #expect(try harness.text == "")
        #expect(harness.image.usage == DatapathImage().usage)
    }

    @Test("a contradictory record that nobody claims is removed")
    func contradictoryUnclaimed() throws {
        var harness = try Self.filled()
        let key = FrontendKey(.fixture("192.0.2.1:30080"), protocol: .tcp)
        harness.store.tamper { $0.frontends[key, default: FrontendRecord(dp_frontend())].fields.kind = 77 }
        try harness.restart()
        try harness.apply(Self.dns)
        try harness.removeUnclaimed()
        #expect(harness.last.removedFrontends.contains { $0.key == key })
        try harness.reclaim()
        var expected = ImageHarness()
        try expected.apply(Self.dns)
        #expect(try harness.text == (try expected.text))
    }

    @Test("damaged backends, sets and tables are replaced", arguments: [0, 1, 2])
    func damagedSpace(what: Int) throws {
        var harness = try Self.filled()
        let text = try harness.text
        let key = FrontendKey(.fixture("10.96.0.7:80"), protocol: .tcp)
        harness.store.tamper { maps in
            guard let choice = maps.frontends[key]?.fields.internal else { return }
            switch what {
            case 0: maps.backends[Int(maps.slots[Int(choice.set_word)] & 0xffff_ffff)] = .free
            case 1: maps.slots[Int(choice.set_word)] = 0x7777_0000_7777
            default: maps.slots[Int(choice.table_word) + 3] = 0x0909_0909
            }
        }
        try harness.restart()
        try harness.setServiceCIDRs(Self.ranges)
        try harness.apply(Self.dns, Self.web)
        #expect(!harness.last.frontends.isEmpty)
        try harness.removeUnclaimed()
        try harness.reclaim()
        #expect(try harness.text == text)
        #expect(try harness.store.contents().wrongTables() == [])
        #expect(harness.store.violations == [])
    }

    @Test("an id that somebody may still see is not given to anybody else")
    func reservedIDs() throws {
        var harness = try Self.filled()
        let dnsID = harness.image.serviceID(of: Self.dns.name) ?? 0
        let key = FrontendKey(.fixture("10.96.0.10:53"), protocol: .udp)
        var backendID: UInt32 = 0
        harness.store.tamper { maps in
            // The set names a free element, the record an id without a name.
            let choice = maps.frontends[key]?.fields.internal ?? dp_choice()
            backendID = UInt32(truncatingIfNeeded: maps.slots[Int(choice.set_word)])
            maps.backends[Int(backendID)] = .free
            maps.services[dnsID] = nil
        }
        try harness.restart()
        let newcomers = (1...20).map {
            ServicePortPlan.fixture("new/s\($0)", [.externalIP("203.0.113.\($0):80")], cluster: ["10.1.8.\($0):80"])
        }
        try harness.apply(newcomers.map(\.change))
        #expect(harness.last.backends.count == 20 && harness.last.services.count == 20)
        #expect(!harness.last.backends.contains { $0.id == backendID })
        #expect(!harness.last.services.contains { $0.id == dnsID })
        try harness.removeUnclaimed()
        #expect(harness.last.quarantined.backendIDs.contains(backendID))
        #expect(harness.last.quarantined.serviceIDs.contains(dnsID))
    }

    @Test("two elements with one backend, two ids with one name: one of each is kept")
    func duplicates() throws {
        var harness = try Self.filled()
        let text = try harness.text
        harness.store.tamper { maps in
            maps.backends.append(maps.backends.last(where: { !$0.isFree }) ?? .free)
            maps.services[500] = maps.services.values.first
        }
        try harness.restart()
        try harness.setServiceCIDRs(Self.ranges)
        try harness.apply(Self.dns, Self.web)
        try harness.removeUnclaimed()
        try harness.reclaim()
        #expect(try harness.text == text)
        #expect(harness.store.violations == [])
    }

    @Test("a plan that cannot be had leaves the earlier run's record in force")
    func noRoom() throws {
        var harness = try Self.filled()
        let text = try harness.text
        try harness.restart(limits: ImageLimits(backends: 9))
        try harness.setServiceCIDRs(Self.ranges)
        var changed = Self.dns
        changed.families[0].cluster = (1...5).map { .fixture("10.1.7.\($0):53") }
        try harness.apply(Self.web, changed)
        try harness.removeUnclaimed()
        #expect(!harness.image.failures.isEmpty)
        #expect(
            try harness.text.contains(
                "10.96.0.10:53/UDP ClusterIP kube-system/dns/UDP\n    forward to 10.1.0.5:53 10.1.0.6:53\n"))
        try harness.apply(Self.dns)
        #expect(try harness.text == text)
        #expect(harness.image.failures.isEmpty)
    }
}
