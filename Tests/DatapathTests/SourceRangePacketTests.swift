// Source ranges on the wire: the reconciler writes them, the real TC program reads them, in test runs that send nothing.
// Everybody who is admitted finds no endpoint that the policy may use, and is counted so.

import BPF
import DatapathImage
import DatapathTestSupport
import KernelTestSupport
import LoadBalancing
import NetworkTypes
import PacketKit
import Reconciler
import ServiceModel
import Synchronization
import Testing

@testable import Datapath

@Suite("Source ranges on the wire", .serialized, .enabled(if: canUseKernel))
struct SourceRangePacketTests {
    private static let virtual: PerFamily<IPAddress> = PerFamily { $0 == .ipv4 ? "198.18.0.1" : "2001:db8:f::1" }

    private static func plan(
        _ ranges: [String], _ policy: Service.SourceRangesPolicy, virtual: Bool = false
    ) -> ServicePortPlan {
        let frontends = AddressFamily.allCases.flatMap { family -> [FrontendPlan] in
            let own = ranges.filter { CIDR.fixture($0).family == family }
            let address = AddressAndPort(address: Self.virtual[family], port: 80)
            return [
                .loadBalancer(
                    "\(address)", external: .drop, internal: .drop, ranges: own, policy: policy,
                    virtual: virtual && !own.isEmpty ? ["\(address.address)"] : []),
                FrontendPlan(
                    kind: .externalIP, address: AddressAndPort(address: Self.virtual[family], port: 81),
                    externalTo: .drop, internalTo: .drop),
            ]
        }
        return .fixture("shop/web", frontends)
    }

    private struct Case {
        var name: String
        var ranges: [String]
        var policy = Service.SourceRangesPolicy.allow
        var virtual = false
        var admitted: [IPAddress]
        var excluded: [IPAddress]
    }

    private static let cases = [
        Case(
            name: "LBSR-1: only sources inside",
            ranges: ["203.0.113.0/25", "10.1.2.3/32", "2001:db8:1::/48"],
            admitted: ["203.0.113.0", "203.0.113.127", "10.1.2.3", "2001:db8:1::1"],
            excluded: ["203.0.113.128", "10.1.2.4", "1.1.1.1", "198.18.0.1", "2001:db8:2::1", "2001:db8:f::1"]),
        Case(
            name: "LBSR-5: the other family is not restricted", ranges: ["203.0.113.0/25"],
            admitted: ["203.0.113.1", "2001:db8:2::1", "::2"], excluded: ["1.1.1.1"]),
        Case(
            name: "LBSR-4: the service's own addresses, where the node is admitted",
            ranges: ["203.0.113.0/25", "2001:db8:1::/48"], virtual: true,
            admitted: ["198.18.0.1", "2001:db8:f::1", "203.0.113.1"], excluded: ["198.18.0.2", "2001:db8:f::2"]),
        Case(
            name: "LBSR-6: two halves are everything", ranges: ["0.0.0.0/1", "128.0.0.0/1"],
            admitted: ["1.1.1.1", "203.0.113.1", "2001:db8::1"], excluded: []),
        Case(
            name: "a range of IPv6 that holds the mapped addresses is not for IPv4",
            ranges: ["203.0.113.0/25", "::/1"], admitted: ["203.0.113.1", "2001:db8::1"], excluded: ["1.1.1.1"]),
        Case(
            name: "deny: everybody but sources inside",
            ranges: ["203.0.113.0/25", "10.0.0.0/8", "2001:db8:1::/48"], policy: .deny,
            admitted: ["203.0.113.128", "1.1.1.1", "11.0.0.0", "2001:db8:2::1"],
            excluded: ["203.0.113.127", "10.1.2.3", "2001:db8:1::1"]),
        Case(
            name: "deny: one family alone", ranges: ["::/1"], policy: .deny,
            admitted: ["1.1.1.1", "203.0.113.1", "8001:db8::1"], excluded: ["2001:db8::1"]),
        Case(
            name: "deny: all of IPv4, none of IPv6", ranges: ["0.0.0.0/0", "2001:db8:1::/48"], policy: .deny,
            admitted: ["2001:db8:2::1"], excluded: ["1.1.1.1", "2001:db8:1::1"]),
    ]

    @Test("packets are admitted by the ranges of their family and service (LBSR-1 to LBSR-6)")
    func admission() throws {
        let scratch = try ScratchInstallation()
        let datapath = try scratch.install(packets: PacketSettings())
        for given in Self.cases {
            #expect(throws: Never.self, "\(given.name)") { try admission(given, datapath) }
        }
    }

    private func admission(_ given: Case, _ datapath: Datapath) throws {
        var harness = DatapathHarness(datapath)
        // Another service, with the opposite ranges.
        try harness.apply(
            .fixture(
                "shop/other",
                [.loadBalancer("198.18.0.9:80", external: .drop, internal: .drop, ranges: ["1.1.1.1/32"])]))
        try harness.apply(Self.plan(given.ranges, given.policy, virtual: given.virtual))
        for source in given.admitted + given.excluded {
            let virtual = Self.virtual[source.family]
            let outcome = try datapath.outcome(ofPacketFrom: source, to: virtual, port: 80)
            #expect(
                outcome == (given.admitted.contains(source) ? .noLocalEndpoints : .sourceRange),
                "\(given.name): \(source)")
            #expect(try datapath.outcome(ofPacketFrom: source, to: virtual, port: 81) == .noLocalEndpoints)
        }
        #expect(try datapath.outcome(ofPacketFrom: "1.1.1.1", to: "198.18.0.9", port: 80) == .noLocalEndpoints)
        #expect(try datapath.outcome(ofPacketFrom: "203.0.113.1", to: "198.18.0.9", port: 80) == .sourceRange)
        // A restart with the same plan changes nothing, and everything goes with the service.
        let before = try datapath.contents().sourceRanges
        try harness.restart()
        try harness.apply(Self.plan(given.ranges, given.policy, virtual: given.virtual))
        #expect(harness.last.sourceRanges.isEmpty && harness.last.removedSourceRanges.isEmpty)
        #expect(try datapath.contents().sourceRanges == before)
        try harness.removeUnclaimed()
        #expect(try datapath.outcome(ofPacketFrom: "1.1.1.1", to: "198.18.0.9", port: 80) == nil)
        #expect(try datapath.contents().sourceRanges.count < before.count)
        try harness.remove(.fixture("shop/web"))
        #expect(try datapath.contents().sourceRanges.isEmpty)
    }

    @Test("an event of a packet says who sent it, where it came in, and at which hook")
    func event() throws {
        let scratch = try ScratchInstallation()
        let datapath = try scratch.install(packets: PacketSettings())
        var harness = DatapathHarness(datapath)
        try harness.apply(Self.plan(["203.0.113.0/25"], .allow))
        var reader = try EventReader(scratch.folder, perSecond: 100)
        #expect(try datapath.outcome(ofPacketFrom: "1.1.1.1", to: Self.virtual[.ipv4], port: 80) == .sourceRange)
        var events: [DatapathEvent] = []
        try reader.poll(timeout: .seconds(1)) { events.append($0) }
        let event = try #require(events.first)
        #expect(events.count == 1 && event.outcome == .sourceRange)
        // The packet of a test run has come in nowhere.
        #expect(event.hook == .tcIngress || event.hook == .tcEgress)
        #expect(event.client == .fixture("1.1.1.1:40000") && event.frontend == .fixture("198.18.0.1:80"))
        #expect(event.interface != 0 && event.backend == nil && event.serviceID == 1)
    }

    @Test("an IPv6 packet with an IPv4-mapped address is no packet of a service")
    func mapped() throws {
        let scratch = try ScratchInstallation()
        let datapath = try scratch.install(packets: PacketSettings())
        var harness = DatapathHarness(datapath)
        try harness.apply(Self.plan(["203.0.113.0/25", "2001:db8:1::/48"], .allow))
        var frame = Packet.ipv6(from: "2001:db8:1::1", to: Self.virtual[.ipv6]).tcp(from: 4000, to: 80, [.syn]).framed()
        #expect(try datapath.outcome(of: frame.bytes) == .noLocalEndpoints)
        var bytes = frame.bytes
        // ::ffff:203.0.113.1, where the source address is.
        bytes.replaceSubrange(22..<38, with: ("203.0.113.1" as IPAddress).bytes)
        #expect(try datapath.outcome(of: bytes) == nil)
        frame = Packet.ipv4(from: "203.0.113.1", to: Self.virtual[.ipv4]).tcp(from: 4000, to: 80, [.syn]).framed()
        #expect(try datapath.outcome(of: frame.bytes) == .noLocalEndpoints)
    }
}

extension Datapath {
    /// The outcome that the TC program counts for a SYN; nil: none, since it is not for it.
    fileprivate func outcome(ofPacketFrom source: IPAddress, to address: IPAddress, port: UInt16) throws -> Outcome? {
        try outcome(of: Packet.ip(from: source, to: address).tcp(from: 40000, to: port, [.syn]).framed().bytes)
    }

    fileprivate func outcome(of frame: [UInt8]) throws -> Outcome? {
        let before = try maps.outcomeCounts()
        try packetPrograms.withLock { programs in
            switch programs {
            case .none: throw SupportError("the packet programs are not loaded")
            case .some(let programs): _ = try programs.framed.ingress.testRun(packet: frame)
            }
        }
        let counted = zip(try maps.outcomeCounts(), before).filter { $0.count > $1.count }.map(\.0.outcome)
        guard counted.count < 2 else { throw SupportError("one packet has the outcomes \(counted)") }
        return counted.first
    }
}

/// An image that is performed in the kernel at once.
private struct DatapathHarness {
    private let datapath: Datapath
    private var image: DatapathImage
    private(set) var last = Transaction()

    init(_ datapath: Datapath) {
        self.datapath = datapath
        image = DatapathImage()
    }

    mutating func apply(_ plan: ServicePortPlan) throws { try perform(image.apply([plan.change])) }
    mutating func remove(_ name: ServicePortName) throws { try perform(image.apply([(name, nil)])) }
    mutating func removeUnclaimed() throws { try perform(image.removeUnclaimed()) }
    mutating func restart() throws { image = DatapathImage(restoring: try datapath.contents(), limits: image.limits) }

    private mutating func perform(_ transaction: Transaction) throws {
        last = transaction
        try datapath.writeSlots(transaction.slots)
        try datapath.writeBackends(transaction.backends)
        try datapath.writeServices(transaction.services)
        try datapath.updateSourceRanges(transaction.sourceRanges)
        try datapath.updateFrontends(transaction.frontends)
        try datapath.deleteFrontends(transaction.removedFrontends.map(\.key))
        try datapath.deleteSourceRanges(transaction.removedSourceRanges)
    }
}
