// One load of a soak with its books: what was answered by whom, and what was not.

import HostCalls
import ProbeProtocol
import World

final class SoakLoad {
    let name: String
    let mode: LoadMode
    let transport: Transport
    private let load: Load
    /// Answers to new connections by servers that were in no set at the time, by server.
    private(set) var strangers: [String: Int] = [:]
    private var last = LoadStatistics()

    init(_ stage: SoakStage, _ transport: Transport, _ address: String, _ mode: LoadMode) throws {
        self.mode = mode
        self.transport = transport
        let family = address.contains(":") ? "IPv6" : "IPv4"
        let kind = mode == .new ? "a connection each" : "held"
        name = "\(transport == .tcp ? "TCP" : "UDP") \(family), \(kind)"
        load = try (mode == .new ? stage.dialler : stage.holder).startLoad(
            transport, address, SoakManifest.port, mode: mode, concurrency: stage.concurrency, rest: .milliseconds(5))
    }

    /// Requests answered so far.
    func answered() throws -> Int { try load.statistics().ok }

    /// Begins a time in which the sets do not change.
    func mark() throws {
        last = try load.statistics()
    }

    /// Ends that time: only these servers may have answered new connections since.
    func check(members: Set<String>) throws {
        let now = try load.statistics()
        defer { last = now }
        guard mode == .new else { return }
        for (server, count) in now.servers where !members.contains(server) {
            let more = count - last.servers[server, default: 0]
            if more > 0 { strangers[server, default: 0] += more }
        }
    }

    func stop() throws -> SoakReport.Row {
        let end = try load.stop()
        let cuts = end.failures.filter { isCut($0.key) }
        return SoakReport.Row(
            name: name, answered: end.ok, connections: end.connections, slowestMilliseconds: end.slowest,
            cut: cuts.values.reduce(0, +), failures: end.failures.filter { !isCut($0.key) },
            misdirected: end.misdirected + strangers.values.reduce(0, +), strangers: strangers, servers: end.servers)
    }

    /// A destroyed UDP socket reports ECONNABORTED once and is unconnected from then on (CT-3).
    private func isCut(_ failure: String) -> Bool {
        guard transport == .udp, mode == .hold else { return false }
        return failure.hasSuffix(" ECONNABORTED") || failure.hasSuffix(" EDESTADDRREQ")
    }
}
