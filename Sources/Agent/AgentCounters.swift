// What the agent has done since it started, apart from what the reconciler counts.

package struct AgentCounters: Sendable {
    /// Problems of manifests, each counted when it appeared.
    package var manifestErrors: UInt64 = 0
    /// Pins and links that somebody had removed.
    package var installationRepairs: UInt64 = 0
    /// Plans carried out, and how long it took from the changed plans to the last flipped frontend.
    package private(set) var syncs: UInt64 = 0
    package private(set) var syncTime = Duration.zero
    package private(set) var lastSync = Duration.zero

    package mutating func observeSync(_ duration: Duration) {
        syncs += 1
        syncTime += duration
        lastSync = duration
    }
}
