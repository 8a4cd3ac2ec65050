// Load in the background: many connections at once, opened anew for each request or held and used again, counted
// until somebody asks. It is what soak, restart and failover tests watch.

package import HostCalls

/// How a load uses its connections.
package enum LoadMode: String, Codable, Sendable, CaseIterable {
    /// Connect, one request, close, again.
    case new
    /// Connect once and keep exchanging; a connection that fails is counted and opened again.
    case hold
}

/// Begins a load and returns at once.
package struct StartLoad: ProbeCall {
    package static let name = "startLoad"

    package let transport: Transport
    package let family: AddressFamily
    package let to: SocketAddress
    package let mode: LoadMode
    package let concurrency: Int
    /// Milliseconds until an exchange (and a connect) counts as failed.
    package var timeout: Int
    /// Milliseconds that each connection rests between exchanges.
    package var rest: Int
    /// Ends by itself after so many attempts; 0 for never.
    package var limit: Int
    /// Closes with a reset, which leaves no TIME_WAIT behind (new connections by the hundred thousand need it).
    package var reset: Bool

    package init(
        transport: Transport, family: AddressFamily, to: SocketAddress, mode: LoadMode, concurrency: Int,
        timeout: Int = 5000, rest: Int = 0, limit: Int = 0, reset: Bool = true
    ) {
        self.transport = transport
        self.family = family
        self.to = to
        self.mode = mode
        self.concurrency = concurrency
        self.timeout = timeout
        self.rest = rest
        self.limit = limit
        self.reset = reset
    }

    package struct Reply: Codable, Sendable {
        package let load: Int
        package init(load: Int) { self.load = load }
    }
}

/// Reads a load's counters while it runs.
package struct InspectLoad: ProbeCall {
    package static let name = "inspectLoad"
    package typealias Reply = LoadStatistics
    package let load: Int
    package init(load: Int) { self.load = load }
}

/// Ends a load: no new request is begun, open ones are awaited, connections are closed.
package struct StopLoad: ProbeCall {
    package static let name = "stopLoad"
    package typealias Reply = LoadStatistics
    package let load: Int
    package init(load: Int) { self.load = load }
}

/// What a load has done so far. attempts = ok + failures + those still under way.
package struct LoadStatistics: Codable, Sendable, Equatable {
    /// Requests begun: in mode `new` with their connect, in mode `hold` each exchange.
    package var attempts = 0
    package var ok = 0
    /// Failed attempts by "step NAME", such as "connect ECONNREFUSED" or "receive ETIMEDOUT".
    package var failures: [String: Int] = [:]
    package var servers: [String: Int] = [:]
    /// Answers on a held connection by another server than that connection's first.
    package var misdirected = 0
    /// Connections opened so far, and open now.
    package var connections = 0
    package var open = 0
    /// The slowest successful attempt, in milliseconds.
    package var slowest = 0
    /// Whether the load has ended by its own limit.
    package var finished = false

    package init() {}

    package var failed: Int { failures.values.reduce(0, +) }
}

extension Collection<LoadStatistics> {
    /// Of loads that do one job together.
    package var total: LoadStatistics {
        var total = LoadStatistics()
        total.finished = allSatisfy(\.finished)
        for part in self {
            total.attempts += part.attempts
            total.ok += part.ok
            total.failures.merge(part.failures, uniquingKeysWith: +)
            total.servers.merge(part.servers, uniquingKeysWith: +)
            total.misdirected += part.misdirected
            total.connections += part.connections
            total.open += part.open
            total.slowest = Swift.max(total.slowest, part.slowest)
        }
        return total
    }
}
