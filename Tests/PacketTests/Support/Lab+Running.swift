// Running the attached programs on packets, and what came of it.

import BPF
import Datapath
import Glibc
import NetworkTypes
import PacketKit
import Testing

/// What the kernel is told to do with the packet.
enum Verdict: Hashable, Sendable {
    /// On, up the stack or to the next program.
    case passed
    case dropped
    /// Out of the device that was named: XDP_REDIRECT, TC_ACT_REDIRECT.
    case redirected
    /// Out of the device that it came in by (XDP_TX).
    case returned
    /// Nothing that our programs say.
    case unknown(UInt32)

    init(_ value: UInt32, of hook: PacketHook) {
        self =
            switch (hook, Int32(bitPattern: value)) {
            case (.xdp, 1), (.tcIngress, 2), (.tcEgress, 2): .dropped
            case (.xdp, 2), (.tcIngress, -1), (.tcEgress, -1): .passed
            case (.xdp, 3): .returned
            case (.xdp, 4), (.tcIngress, 7), (.tcEgress, 7): .redirected
            default: .unknown(value)
            }
    }
}

/// What a program did with a packet.
struct Seen: CustomStringConvertible {
    var hook: PacketHook
    var verdict: Verdict
    var bytes: [UInt8]
    /// Which counters went up, and by how much.
    var outcomes: [Outcome: UInt64]

    /// The packet afterwards.
    var frame: Frame { get throws { try Frame(parsing: bytes) } }
    var packet: Packet { get throws { try frame.packet } }

    var description: String {
        let packet = (try? "\(self.packet)") ?? "\(bytes.count) bytes"
        return "\(hook.rawValue) \(verdict) \(outcomes.keys.map(\.name).sorted()): \(packet)"
    }

    /// Expects this verdict, the counters that go with it, and exactly this packet.
    func expect(
        _ verdict: Verdict, _ expected: Packet?, _ counted: Outcome..., from place: SourceLocation = #_sourceLocation
    ) {
        #expect(self.verdict == verdict, "\(self)", sourceLocation: place)
        // Source ports are drawn: any of them may have been taken.
        // Whether a source port was taken, and whether the kernel had memory for a timer, is nothing that can be chosen.
        let byChance: Set<Outcome> = [.portCollision, .flowUntimed]
        let names = outcomes.keys.filter { !byChance.contains($0) || counted.contains($0) }.map(\.name).sorted()
        #expect(names == counted.map(\.name).sorted(), "\(self)", sourceLocation: place)
        guard let expected else { return }
        do {
            let actual = try packet
            #expect(diff(expected, actual) == "", sourceLocation: place)
            #expect(actual.problems == expected.problems, sourceLocation: place)
        } catch {
            Issue.record(error, sourceLocation: place)
        }
    }
}

/// By which hooks a packet comes in.
enum Entrance: String, CaseIterable, Sendable {
    /// XDP, and TC when XDP passes it up.
    case xdp
    /// TC alone.
    case tc
}

extension Lab {
    /// What the kernel does with a frame that arrives.
    func receive(
        _ packet: Packet, at device: String = "eth0", by entrance: Entrance = .tc, flags: UInt32 = 0,
        from place: SourceLocation = #_sourceLocation
    ) throws -> Seen {
        let ethernet =
            device == "pod1"
            ? Ethernet(from: Link.localPod, to: Link.pod1) : Ethernet(from: Link.gateway, to: Link.eth0)
        let frame = packet.framed(ethernet).bytes
        guard entrance == .xdp else { return try run(.tcIngress, frame, at: device, flags: flags) }
        let first = try run(.xdp, frame, at: device)
        guard first.verdict == .passed else { return first }
        #expect(first.bytes == frame, "XDP passes up what it has changed", sourceLocation: place)
        var second = try run(.tcIngress, frame, at: device)
        // That XDP could not know the neighbour is no news to the test.
        for (outcome, count) in first.outcomes where outcome != .neighbourPending {
            second.outcomes[outcome, default: 0] += count
        }
        return second
    }

    /// What the kernel does with a packet that is about to leave.
    func send(_ packet: Packet, by device: String = "eth0", flags: UInt32 = 0) throws -> Seen {
        try run(.tcEgress, packet.framed(Ethernet(from: Link.eth0, to: Link.gateway)).bytes, at: device, flags: flags)
    }

    /// Again where the kernel had no memory for a flow's timer, which it does not wait for.
    func run(_ hook: PacketHook, _ frame: [UInt8], at device: String = "eth0", flags: UInt32 = 0) throws -> Seen {
        var seen = try runOnce(hook, frame, at: device, flags: flags)
        for _ in 0..<50 where seen.outcomes[.flowsFull] != nil {
            guard try datapath.maps.flows.count() < Int(layout.flows) else { break }
            usleep(10_000)
            seen = try runOnce(hook, frame, at: device, flags: flags)
        }
        return seen
    }

    private func runOnce(_ hook: PacketHook, _ frame: [UInt8], at device: String, flags: UInt32) throws -> Seen {
        let before = try counts()
        let result = try runBare(hook, frame, at: device, flags: flags)
        let after = try counts()
        let outcomes = after.filter { $0.value > before[$0.key, default: 0] }
            .map { ($0.key, $0.value - before[$0.key, default: 0]) }
        return Seen(
            hook: hook, verdict: Verdict(result.returnValue, of: hook), bytes: result.output,
            outcomes: Dictionary(uniqueKeysWithValues: outcomes))
    }

    /// Without looking at the counters.
    func runBare(
        _ hook: PacketHook, _ frame: [UInt8], at device: String = "eth0", flags: UInt32 = 0, segment: UInt32 = 0
    ) throws -> TestRunResult {
        let index = try #require(devices[device])
        let context =
            hook == .xdp
            ? Self.context(bytes: 24, [4: UInt32(frame.count), 12: index])
            : Self.context(
                bytes: 192, [36: hook == .tcIngress ? index : 0, 40: index, 164: segment > 0 ? 2 : 0, 176: segment])
        return try program(of: hook) { try $0.testRun(packet: frame, context: context, flags: flags) }
    }

    /// `struct xdp_md` (`data_end`, `ingress_ifindex`) or `struct __sk_buff` (`ingress_ifindex`, `ifindex`, `gso_segs`,
    /// `gso_size`), by their fields' places.
    private static func context(bytes count: Int, _ fields: [Int: UInt32]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        for (place, value) in fields {
            for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(index))) }
        }
        return bytes
    }

    func counts() throws -> [Outcome: UInt64] {
        Dictionary(uniqueKeysWithValues: try datapath.maps.outcomeCounts().map { ($0.outcome, $0.count) })
    }
}
