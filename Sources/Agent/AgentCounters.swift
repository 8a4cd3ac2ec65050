// What the agent has done since it started, apart from what the reconciler counts.

package import Telemetry

package struct AgentCounters: Sendable {
    /// Problems of input objects, each counted when it appeared.
    package var inputErrors: UInt64 = 0
    /// Pins and links that somebody had removed.
    package var installationRepairs: UInt64 = 0
    /// Seconds from changed plans to the last flipped frontend: from 100 us, for one endpoint, to 3 s, for everything.
    package var syncs = Histogram(bounds: Histogram.exponentialBounds(from: 0.0001, factor: 2, count: 16))
}
