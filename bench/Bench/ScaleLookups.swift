// What a look-up costs in a small datapath and in a large one: packets to NodePorts through the XDP program, measured here by a
// worker in the node's namespace, and connect() to ClusterIPs, measured as in `martlet-bench connect`.

import BPF
import BenchSupport
import CBench
import CDatapathABI
import Datapath
import DatapathImage
import Glibc
import HostCalls
import NetworkTypes
import PacketKit

/// One row: NodePorts of a datapath, in turn.
struct ScaleLookup: Codable, Sendable {
    let name: String
    /// Where the datapath is pinned.
    let folder: String
    let nodePorts: [UInt16]
}

struct ScaleLookupPlan: Codable, Sendable {
    let lookups: [ScaleLookup]
    let rounds: Int
    let packets: Int
    let processor: Int
}

/// Nanoseconds for each packet, by the name of the row; an empty program's cost, the test run's own included, is in them.
typealias ScaleLookupTimes = [String: [Double]]

struct ScaleLookupWorker {
    let plan: ScaleLookupPlan

    /// The rows take turns, so that each round compares them with each other.
    func run() throws -> ScaleLookupTimes {
        try pin(toProcessor: plan.processor)
        _ = bench_take_precedence()
        let device = unsafe if_nametoindex(PacketPlace.device)
        guard device != 0 else { throw CallFailure("if_nametoindex", PacketPlace.device, errno: errno) }
        let stages = try plan.lookups.map { try ScaleStage($0, device: device) }
        var times: ScaleLookupTimes = [:]
        for _ in 0..<plan.rounds {
            for stage in stages { times[stage.name, default: []].append(try stage.measure(packets: plan.packets)) }
        }
        return times
    }
}

/// One row, set up.
private struct ScaleStage {
    let name: String
    private let prologue: PacketPrologue
    private let subject: PacketSubject
    private let frame: [UInt8]
    private let context: [UInt8]

    init(_ lookup: ScaleLookup, device: UInt32) throws {
        let folder = PinFolder(path: lookup.folder)
        try PacketFill.describe(device, in: DatapathMaps.open(folder))
        name = lookup.name
        prologue = try PacketPrologue()
        subject = try PacketSubject(folder, object: nil)
        let client = PacketPlace.client(isIPv6: false), node = PacketPlace.nodeAddresses[0]
        let payload = [UInt8](repeating: 0x55, count: 64)
        frame =
            Packet.ip(from: client, to: node).tcp(from: 1024, to: lookup.nodePorts[0], [.ack], payload: payload)
            .framed().bytes
        context = PacketStage.context(length: frame.count, device: device)
        let packet = PacketCase(name: name, scene: .one, isIPv6: false, flows: lookup.nodePorts.count)
        try prologue.setTuples(
            lookup.nodePorts.map { port in
                var tuple = bench_tuple()
                tuple.source = dp_address(client).words_be
                tuple.destination = dp_address(node).words_be
                tuple.source_port = UInt16(1024).bigEndian
                tuple.destination_port = port.bigEndian
                return tuple
            })
        try prologue.follow(bench_script(packet, frame, hasTuples: true))
        try check()
    }

    /// The restoring of the packet is taken off.
    func measure(packets: Int) throws -> Double {
        try prologue.put(.empty, subject: subject.program)
        let restoring = try prologue.run(frame, context, times: packets).averageNanoseconds
        let bare = try prologue.runBare(frame, context, times: packets).averageNanoseconds
        try prologue.put(.subject, subject: subject.program)
        return Double(try prologue.run(frame, context, times: packets).averageNanoseconds - restoring + bare)
    }

    /// Every packet leaves in a tunnel.
    private func check() throws {
        try prologue.put(.subject, subject: subject.program)
        let result = try prologue.run(frame, context, times: 1)
        guard result.returnValue == 3, result.output.count == frame.count + 20 else {
            throw CallFailure("check", "\(name): verdict \(result.returnValue), \(result.output.count) bytes", errno: 5)
        }
    }
}
