// The world's end of one martlet-probe: sends it calls, waits for its replies, one at a time. The calls with the names
// that tests use are in Probe+Client.swift and Probe+Server.swift.

import FoundationEssentials
import HostCalls
package import ProbeProtocol

/// A process in a network namespace and cgroup that plays a pod, a client or a host program. Belongs to one test.
package final class Probe {
    package let name: String
    /// Plain text, IPv4 and IPv6 as given; empty for a probe that shares a node's namespace.
    package let addresses: [String]
    package let namespace: NetworkNamespace
    package let group: ControlGroup

    private let process: ChildProcess
    private let channel: Descriptor
    private var lines = LineBuffer()
    private var lastID = 0

    /// Settings of every namespace of the world: no waiting for duplicate addresses, no filtering by return path
    /// (tests choose their own), and enough client ports and waiting connections.
    private static let settings = [
        "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.default.dad_transmits=0",
        "net.ipv6.conf.default.accept_ra=0", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0",
        "net.ipv4.tcp_tw_reuse=1", "net.ipv4.tcp_max_syn_backlog=4096", "net.core.somaxconn=4096",
    ]

    /// Starts the process and waits until it is where it should be.
    init(
        _ name: String, addresses: [String], namespace: NetworkNamespace, group: ControlGroup, tools: Tools,
        settings: [String] = []
    ) throws(WorldError) {
        self.name = name
        self.addresses = addresses
        self.namespace = namespace
        self.group = group
        let pair = try onHost { () throws(CallFailure) in try Descriptor.pair() }
        channel = pair.own
        var words = ["--netns", namespace.path, "--cgroup", group.path]
        for setting in Self.settings + settings { words += ["--set", setting] }
        let program = Program(name: name, executable: tools.probe, arguments: words, environment: [:])
        let stem = tools.folder + "/probe-" + name + "-" + String(UInt32.random(in: 0...UInt32.max), radix: 36)
        process = try ChildProcess.start(
            program, conversation: pair.other, outputPath: nil, errorPath: stem + ".err")
        let _: Greeting = try reply(to: 0, patience: .seconds(20))
    }

    package var pid: Int32 { process.pid }

    /// The first IPv4 address, for scenarios that have one.
    package var v4: String { addresses.first { !$0.contains(":") } ?? "" }
    /// The first IPv6 address.
    package var v6: String { addresses.first { $0.contains(":") } ?? "" }

    package var isRunning: Bool { process.exitStatus == nil }

    /// Ends the process at once, as when a pod's container is killed; its sockets go, its namespace stays.
    package func kill() throws(WorldError) {
        try process.kill()
    }

    /// Returns when IPv6 addresses just given to an interface are in use there; others are so at once.
    func awaitAddresses(_ addresses: [AddressText], on interface: String) throws(WorldError) {
        let late = addresses.filter(\.isV6).map {
            AwaitAddresses.Placed(address: $0.address, interface: interface)
        }
        if !late.isEmpty { _ = try call(AwaitAddresses(late)) }
    }

    /// Carries out a call in the probe. Throws `.refused` when the kernel refused it there, `.silentProbe` when no
    /// reply comes within `patience`.
    package func call<Call: ProbeCall>(
        _ arguments: Call, patience: Duration = .seconds(30)
    ) throws(WorldError) -> Call.Reply {
        lastID += 1
        let id = lastID
        do {
            let line = try JSONEncoder().encode(ProbeRequest(id: id, arguments: arguments))
            try channel.send(Array(line) + [UInt8(ascii: "\n")])
        } catch {
            throw .silentProbe(name, reason: "\(error); \(process.errorOutput)")
        }
        return try reply(to: id, patience: patience)
    }

    private func reply<Reply: Codable & Sendable>(to id: Int, patience: Duration) throws(WorldError) -> Reply {
        let end = ContinuousClock.now + patience
        while true {
            while let line = lines.next() {
                let response: ProbeResponse<Reply>
                do {
                    response = try JSONDecoder().decode(ProbeResponse<Reply>.self, from: Data(line))
                } catch {
                    throw .silentProbe(name, reason: "it wrote \(String(decoding: line, as: UTF8.self)): \(error)")
                }
                if response.id != id { continue }  // the reply to a call that was given up
                if let result = response.result { return result }
                throw .refused(by: name, response.failure ?? CallFailure("reply", errno: 0))
            }
            try receive(until: end)
        }
    }

    private func receive(until end: ContinuousClock.Instant) throws(WorldError) {
        let left = ContinuousClock.now.duration(to: end).wholeMilliseconds
        guard left > 0,
            try onHost({ () throws(CallFailure) in
                try channel.waitReadable(milliseconds: Int32(clamping: left))
            })
        else { throw .silentProbe(name, reason: "no reply in time; \(process.errorOutput)") }
        let bytes = (try? channel.read(upTo: 65536)) ?? []
        guard !bytes.isEmpty else {
            let status = process.wait(within: .seconds(1)).map { "\($0)" } ?? "no exit status"
            throw .silentProbe(name, reason: "it has ended with \(status); \(process.errorOutput)")
        }
        lines.append(bytes)
    }
}
