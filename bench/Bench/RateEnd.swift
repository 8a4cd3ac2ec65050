// One end of the way that frames go: a network namespace that sends frames out of its interface, and counts those that
// arrive there.

import BPF
import CBench
import Glibc
import HostCalls

final class RateEnd {
    /// Paths of the end's namespace and of the node's, where the calling thread belongs.
    private let path: String
    private let home: String
    private let prologue: PacketPrologue
    private let sender: BPFProgram
    private let arrived: PerCPUMap<UInt32, UInt64>
    private let attachment: BPFLink

    /// Every frame that arrives at eth0 of the namespace is counted from now on, and goes no further.
    init(namespace path: String, home: String) throws {
        let device = try Self.inside(path, home: home) { unsafe if_nametoindex("eth0") }
        guard device != 0 else { throw CallFailure("if_nametoindex", "eth0 in \(path)", errno: errno) }
        var object = try RateForwarder.object(sendingTo: device)
        try object.load()
        let sink = try object.program(named: "rate_sink")
        let attachment = try Self.inside(path, home: home) {
            try BPFLink.attach(xdp: sink, interface: device, mode: .native)
        }
        let sender = try object.program(named: "rate_redirect")
        let arrived = try PerCPUMap<UInt32, UInt64>(object.map(named: "arrived"))
        let prologue = try PacketPrologue()
        self.path = path
        self.home = home
        self.prologue = prologue
        self.sender = sender
        self.arrived = arrived
        self.attachment = attachment
    }

    /// Has the end send a case's frames from now on.
    ///
    /// - Parameter tuples: the addresses and ports of the frames, where they cannot be reckoned.
    func prepare(_ packet: PacketCase, _ frame: [UInt8], tuples: [bench_tuple] = []) throws {
        if !tuples.isEmpty { try prologue.setTuples(tuples) }
        try prologue.follow(bench_script(packet, frame, hasTuples: !tuples.isEmpty))
        try prologue.put(.subject, subject: sender)
    }

    /// - Returns: how long it took to send them.
    func send(_ frame: [UInt8], times: Int) throws -> Duration {
        try Self.inside(path, home: home) { try prologue.send(frame, times: times) }
    }

    /// Frames that have arrived since the end was made. Waits until no more come.
    func count() throws -> UInt64 {
        var last = try total()
        while true {
            pause(milliseconds: 2)
            let now = try total()
            if now == last { return now }
            last = now
        }
    }

    private func total() throws -> UInt64 { try arrived.lookup(0)?.reduce(0, +) ?? 0 }

    /// Does something on this thread in another network namespace, and comes back whatever happens.
    private static func inside<Value: ~Copyable>(
        _ path: String, home: String, _ body: () throws -> Value
    ) throws -> Value {
        try enterNetwork(path)
        let value: Value
        do {
            value = try body()
        } catch {
            try enterNetwork(home)
            throw error
        }
        try enterNetwork(home)
        return value
    }
}
