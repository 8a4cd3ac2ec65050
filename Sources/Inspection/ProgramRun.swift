// One packet through the packet programs that are attached (BPF_PROG_TEST_RUN): XDP first, then TC if XDP passes it up.
// The kernel hands the packet back instead of sending it, whatever the programs say: a redirect is only returned.
//
// The programs work on the live maps. A flow and an affinity record that the packet has made are removed again; it stays
// in the counters, and in what a monitor or a capture shows meanwhile.

import BPF
import CDatapathABI
import Datapath
import DatapathImage
import NetworkTypes
import SystemCalls

/// What became of the packet.
package struct ProgramReport: Codable, Hashable, Sendable {
    package enum Verdict: String, Codable, Hashable, Sendable {
        /// To be routed on by the kernel.
        case passed
        /// Out of a device.
        case sent
        /// A reset or an ICMP error goes back to the client.
        case refused
        case dropped
    }

    package struct Tunnel: Codable, Hashable, Sendable {
        package var source: String
        package var destination: String
    }

    /// Whether it is what the records say.
    package var agrees: Bool
    /// The packet's ends as it came in.
    package var client: String
    package var frontend: String
    /// The device that it came in by.
    @Nullable package var device: String?
    /// The hook that finished it: `xdp` or `tc_ingress`.
    package var hook: String
    package var verdict: Verdict
    /// The packet's ends afterwards; null when it was dropped.
    @Nullable package var source: String?
    @Nullable package var destination: String?
    /// Around it; null when there is none.
    @Nullable package var tunnel: Tunnel?
    /// Reasons for refusing and dropping that were counted while the packet was served, by it or by other packets.
    package var countedMeanwhile: [String]
}

/// Nil members: it is not known, or is not so.
struct ProgramResult {
    var hook: PacketHook
    var verdict: ProgramReport.Verdict
    /// As the program let it go; nil when it was dropped.
    var packet: ReadPacket?
    var counted: [Outcome]
}

struct ProgramRun: ~Copyable {
    private let maps: DatapathMaps
    private let packet: ProbePacket
    private let device: UInt32

    /// Source ports of ordinary clients, among which one is drawn.
    private static let ports: ClosedRange<UInt16> = 32768...60999

    /// Prepares a packet that no flow is known of.
    init(
        _ maps: consuming DatapathMaps, from source: IPAddress, to destination: AddressAndPort,
        _ protocolKind: TransportProtocol, at device: UInt32
    ) throws {
        var packet = ProbePacket(
            source: AddressAndPort(address: source, port: 0), destination: destination, protocolKind: protocolKind)
        repeat {
            packet.source.port = UInt16.random(in: Self.ports)
        } while try maps.flows.lookup(packet.key) != nil
        self.maps = maps
        self.packet = packet
        self.device = device
    }

    var client: AddressAndPort { packet.source }

    /// - Parameter serviceID: the owner of the frontend, whose affinity records are put back; zero: none.
    func perform(serviceID: UInt32) throws -> ProgramResult {
        let affinity = try AffinityGuard(maps, client: packet.source.address, serviceID: serviceID)
        defer {
            affinity.restore(in: maps)
            removeFlow()
        }
        let before = try refusals()
        let hooks = try maps.pinFolder.attachedDeviceHooks().filter { $0.device == device }
        var result = ProgramResult(hook: .tcIngress, verdict: .passed, packet: nil, counted: [])
        for hook in [PacketHook.xdp, .tcIngress] {
            guard let attached = hooks.first(where: { $0.hook == hook }) else { continue }
            result = try run(hook, BPFProgram.open(id: attached.programID))
            guard hook == .xdp, result.verdict == .passed else { break }
        }
        let after = try refusals()
        result.counted = after.filter { $0.value > before[$0.key, default: 0] }.map(\.key)
            .sorted { $0.rawValue < $1.rawValue }
        return result
    }

    private func run(_ hook: PacketHook, _ program: borrowing BPFProgram) throws -> ProgramResult {
        if hook == .tcIngress, try program.constants()?.number("link_header_bytes") == 0 {
            throw WrongResult("the device has no link-layer header, and the kernel plays none without")
        }
        let frame = packet.frame
        let context =
            hook == .xdp
            ? TestContext.xdp(frameBytes: frame.count, device: device) : TestContext.ingress(device: device)
        let run = try program.testRun(packet: frame, context: context)
        guard let end = TestEnd(run.returnValue, of: hook) else {
            throw WrongResult("\(hook.rawValue) returned \(run.returnValue), which none of our programs does")
        }
        let left = ReadPacket(frame: run.output)
        let isRefusal = left?.isRefusal ?? false
        let verdict: ProgramReport.Verdict =
            switch end {
            case .passed: .passed
            case .dropped: .dropped
            case .sent: isRefusal ? .refused : .sent
            }
        return ProgramResult(hook: hook, verdict: verdict, packet: verdict == .dropped ? nil : left, counted: [])
    }

    /// What is refused or dropped, as counted so far.
    private func refusals() throws(BPFError) -> [Outcome: UInt64] {
        var counts: [Outcome: UInt64] = [:]
        for (outcome, count) in try maps.outcomeCounts() where outcome.effect == .refused || outcome.effect == .dropped
        {
            counts[outcome] = count
        }
        return counts
    }

    /// The record goes as its timer would remove it (flow_remove of bpf/lib/flow.bpf.h). What cannot be removed goes by
    /// that timer.
    private func removeFlow() {
        guard let flow = try? maps.flows.lookup(packet.key) else { return }
        let reply = flow.replyKey(packet.protocolKind.rawValue)
        if let found = try? maps.flowReplies.lookup(reply), found.flow.isSame(as: packet.key) {
            _ = try? maps.flowReplies.delete(reply)
        }
        _ = try? maps.flows.delete(packet.key)
    }
}

/// The affinity record of the client as it was before.
private struct AffinityGuard {
    private let key: dp_affinity_key
    private let before: dp_affinity?

    init(_ maps: borrowing DatapathMaps, client: IPAddress, serviceID: UInt32) throws(BPFError) {
        var key = dp_affinity_key()
        key.client = dp_address(client)
        key.service_id = serviceID
        key.family = UInt16(client.family.rawValue)
        key.kind = UInt16(DP_CLIENT_ADDRESS.rawValue)
        self.key = key
        before = try maps.affinity.lookup(key)
    }

    func restore(in maps: borrowing DatapathMaps) {
        guard let now = try? maps.affinity.lookup(key) else { return }
        guard let before else {
            _ = try? maps.affinity.delete(key)
            return
        }
        if now.last_used_ns != before.last_used_ns || now.backend_id != before.backend_id {
            try? maps.affinity.update(key, before)
        }
    }
}

/// What the program said, as far as it matters here.
private enum TestEnd {
    case passed
    case dropped
    case sent

    /// XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT; TC_ACT_SHOT, TC_ACT_UNSPEC, TC_ACT_REDIRECT.
    init?(_ value: UInt32, of hook: PacketHook) {
        switch (hook, Int32(bitPattern: value)) {
        case (.xdp, 1), (.tcIngress, 2): self = .dropped
        case (.xdp, 2), (.tcIngress, -1): self = .passed
        case (.xdp, 3), (.xdp, 4), (.tcIngress, 7): self = .sent
        case (_, _): return nil
        }
    }
}

/// The context of a test run, as bytes of the kernel's structs (uapi/linux/bpf.h).
private enum TestContext {
    /// `struct xdp_md`: `data_end`, `ingress_ifindex`.
    static func xdp(frameBytes: Int, device: UInt32) -> [UInt8] {
        bytes(24, [4: UInt32(frameBytes), 12: device])
    }

    /// `struct __sk_buff`: `ingress_ifindex`, `ifindex`.
    static func ingress(device: UInt32) -> [UInt8] { bytes(192, [36: device, 40: device]) }

    private static func bytes(_ count: Int, _ fields: [Int: UInt32]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        for (place, value) in fields {
            // In the byte order of this machine.
            for index in 0..<4 {
                let shift = UInt32(1.littleEndian == 1 ? index : 3 - index) * 8
                bytes[place + index] = UInt8(truncatingIfNeeded: value >> shift)
            }
        }
        return bytes
    }
}

extension ProbePacket {
    /// The client's direction of the flow.
    var key: dp_flow_key {
        var key = dp_flow_key()
        key.source = dp_address(source.address)
        key.destination = dp_address(destination.address)
        key.source_port_be = source.port.bigEndian
        key.destination_port_be = destination.port.bigEndian
        key.protocol = protocolKind.rawValue
        return key
    }
}

extension dp_flow_key {
    fileprivate func isSame(as other: dp_flow_key) -> Bool {
        source.ipAddress == other.source.ipAddress && destination.ipAddress == other.destination.ipAddress
            && source_port_be == other.source_port_be && destination_port_be == other.destination_port_be
            && self.protocol == other.protocol
    }
}
