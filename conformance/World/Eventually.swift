// Waiting for the kernel or another process to get somewhere, by looking again and again.

import HostCalls

/// True as soon as the condition is, false when the time is over first. Blocks the calling thread.
package func eventually<Failure: Error>(
    within limit: Duration = .seconds(5), every interval: Duration = .milliseconds(10),
    _ condition: () throws(Failure) -> Bool
) throws(Failure) -> Bool {
    let end = ContinuousClock.now + limit
    while true {
        if try condition() { return true }
        if ContinuousClock.now >= end { return false }
        pause(milliseconds: UInt32(clamping: max(1, interval.wholeMilliseconds)))
    }
}

/// The same for conditions that wait themselves; other tasks run meanwhile.
package func eventually(
    within limit: Duration = .seconds(5), every interval: Duration = .milliseconds(10),
    isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws -> Bool {
    let end = ContinuousClock.now + limit
    while true {
        if try await condition() { return true }
        if ContinuousClock.now >= end { return false }
        try await Task.sleep(for: interval)
    }
}

extension Duration {
    /// Rounded down.
    var wholeMilliseconds: Int64 {
        components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
    }
}
