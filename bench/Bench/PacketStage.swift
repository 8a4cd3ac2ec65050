// One case, set up and measured: its flows have their records, its packets are known to be treated as the case says.

import BPF
import CBench
import CDatapathABI
import Datapath
import DatapathImage
import HostCalls
import PacketKit

struct PacketStage {
    private enum Verdict: UInt32 {
        case pass = 2
        case goesBack = 3
    }

    private let packet: PacketCase
    private let prologue: PacketPrologue
    private let subject: PacketSubject
    private let datapath: Datapath
    private let frame: [UInt8]
    private let context: [UInt8]

    /// Makes the records that the case needs, and checks what becomes of its packets.
    init(
        _ packet: PacketCase, prologue: PacketPrologue, subject: PacketSubject, _ datapath: Datapath, device: UInt32
    ) throws {
        self.packet = packet
        self.prologue = prologue
        self.subject = subject
        self.datapath = datapath
        frame = PacketPlace.frame(of: packet, opening: packet.kind == .opening).bytes
        context = Self.context(length: frame.count, device: device)
        if packet.needsRecords { try makeRecords() }
        try follow(frame)
        if subject.isShipped { try check() }
    }

    /// Nanoseconds for each packet, contestants in turn.
    func measure(rounds: Int, packets: Int) throws -> PacketTimes {
        var times = PacketTimes()
        for round in 0..<rounds {
            // A test run costs the same behind every case; once in a while is enough.
            if round % 4 == 0 {
                times.bare.append(Double(try prologue.runBare(frame, context, times: packets).averageNanoseconds))
            }
            times.empty.append(try time(.empty, packets))
            times.floor.append(try time(.floor, packets))
            times.subject.append(try time(.subject, packet.leavesRecords ? min(packets, packet.flows) : packets))
            if packet.leavesRecords { try clear() }
        }
        return times
    }

    /// Forgets every flow.
    func clear() throws {
        guard packet.scene.keepsRecords else { return }
        for (key, _) in try datapath.maps.flows.entries() { _ = try datapath.maps.flows.delete(key) }
        for (key, _) in try datapath.maps.flowReplies.entries() { _ = try datapath.maps.flowReplies.delete(key) }
    }

    private func time(_ part: PacketPrologue.Part, _ packets: Int) throws -> Double {
        try prologue.put(part, subject: subject.program)
        return Double(try prologue.run(frame, context, times: packets).averageNanoseconds)
    }

    /// Every flow opens its connection once.
    private func makeRecords() throws {
        let opening = PacketPlace.frame(of: packet, opening: true).bytes
        try follow(opening)
        try prologue.put(.subject, subject: subject.program)
        _ = try prologue.run(opening, context, times: packet.flows)
        let count = try datapath.maps.flows.count()
        guard count >= packet.flows * 99 / 100 else {
            throw CallFailure("fill", "\(packet.name): \(count) flows of \(packet.flows)", errno: 5)
        }
        guard packet.kind == .reply else { return }
        try prologue.setTuples(try datapath.maps.flowReplies.entries().map { bench_tuple($0.key) })
    }

    private func follow(_ frame: [UInt8]) throws {
        try prologue.follow(
            bench_script(packet, frame, hasTuples: packet.kind == .reply && frame == self.frame))
    }

    private func check() throws {
        try prologue.put(.subject, subject: subject.program)
        let result = try prologue.run(frame, context, times: 1)
        let wanted = packet.kind == .stranger ? Verdict.pass : .goesBack
        let outer = packet.scene.isDSR && packet.kind != .stranger ? packet.isIPv6 ? 40 : 20 : 0
        guard result.returnValue == wanted.rawValue, result.output.count == frame.count + outer else {
            throw CallFailure(
                "check",
                "\(packet.name): verdict \(result.returnValue), \(result.output.count) bytes of \(frame.count)",
                errno: 5)
        }
        if packet.leavesRecords { try clear() }
    }

    /// struct xdp_md: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex.
    static func context(length: Int, device: UInt32) -> [UInt8] {
        [0, UInt32(length), 0, device, 0, 0].flatMap { word in
            (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
        }
    }
}
