// One load of a soak with its books: what was answered by whom, and what was not. Several clients may carry it.

import HostCalls
import ProbeProtocol
import World

final class SoakLoad {
    /// What a load does with its connections.
    enum Kind: String, CaseIterable {
        case fresh = "a connection each"
        case held
        /// Held by the thousand, each asked once in a while.
        case standing
    }

    /// Two processors carry everything: hundreds of thousands of connections answer late, which is not a failure.
    private static let timeout = Duration.seconds(30)

    let name: String
    let kind: Kind
    let transport: Transport
    let concurrency: Int
    /// How long a connection rests between two requests.
    let rest: Duration
    private let parts: [Load]
    /// Answers to new connections by servers that were in no set at the time, by server.
    private(set) var strangers: [String: Int] = [:]
    private var last = LoadStatistics()

    init(_ stage: SoakStage, _ transport: Transport, _ address: String, _ kind: Kind, concurrency: Int) throws {
        self.kind = kind
        self.transport = transport
        self.concurrency = concurrency
        // Standing connections share a fixed rate of requests, however many they are.
        rest = kind == .standing ? max(.milliseconds(5), .microseconds(400 * concurrency)) : .milliseconds(5)
        let family = address.contains(":") ? "IPv6" : "IPv4"
        name = "\(transport == .tcp ? "TCP" : "UDP") \(family), \(kind.rawValue)"
        let clients =
            switch kind {
            case .fresh: [stage.dialler]
            case .held: [stage.holder]
            case .standing: stage.keepers
            }
        let rest = self.rest
        parts = try clients.enumerated().map { number, client in
            let share = concurrency * (number + 1) / clients.count - concurrency * number / clients.count
            return try client.startLoad(
                transport, address, SoakManifest.port, mode: kind == .fresh ? .new : .hold, concurrency: share,
                rest: rest, timeout: Self.timeout)
        }
    }

    private func statistics() throws -> LoadStatistics {
        try parts.map { try $0.statistics() }.total
    }

    /// Whether every connection of a standing load has been opened and answered.
    func stands() throws -> Bool {
        let now = try statistics()
        return now.open == concurrency && now.ok >= concurrency
    }

    /// What there is to say of it when it does not come about.
    func summary() throws -> String {
        let now = try statistics()
        return "\(name): \(now.open) of \(concurrency) open, failures \(now.failures)"
    }

    /// Requests answered so far.
    func answered() throws -> Int { try statistics().ok }

    /// Begins a time in which the sets do not change.
    func mark() throws {
        last = try statistics()
    }

    /// Ends that time: only these servers may have answered new connections since.
    func check(members: Set<String>) throws {
        let now = try statistics()
        defer { last = now }
        guard kind == .fresh else { return }
        for (server, count) in now.servers where !members.contains(server) {
            let more = count - last.servers[server, default: 0]
            if more > 0 { strangers[server, default: 0] += more }
        }
    }

    func stop() throws -> SoakReport.Row {
        let end = try parts.map { try $0.stop() }.total
        let cuts = end.failures.filter { isCut($0.key) }
        return SoakReport.Row(
            name: name, concurrency: concurrency, answered: end.ok, connections: end.connections,
            slowestMilliseconds: end.slowest,
            cut: cuts.values.reduce(0, +), failures: end.failures.filter { !isCut($0.key) },
            misdirected: end.misdirected + strangers.values.reduce(0, +), strangers: strangers, servers: end.servers)
    }

    /// A destroyed UDP socket reports ECONNABORTED once and is unconnected from then on (CT-3).
    private func isCut(_ failure: String) -> Bool {
        guard transport == .udp, kind == .held else { return false }
        return failure.hasSuffix(" ECONNABORTED") || failure.hasSuffix(" EDESTADDRREQ")
    }
}
