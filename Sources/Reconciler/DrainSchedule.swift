// When frontends whose backends have changed are asked whether their DSR flows still have to be tracked: once nothing has
// changed for as long as a flow may be silent, and then every so often.

import DatapathImage

struct DrainSchedule {
    private let patience: Duration
    private var next: ContinuousClock.Instant?
    /// What each was when it was looked at first, and when that was.
    private var since: [FrontendKey: (record: FrontendRecord, at: ContinuousClock.Instant)] = [:]

    init(patience: Duration) {
        self.patience = patience
    }

    /// Looking at every frontend and flow is not for every tick.
    private var interval: Duration { min(.seconds(30), max(patience / 4, .milliseconds(100))) }

    mutating func isDue(at now: ContinuousClock.Instant) -> Bool {
        if let next, next > now { return false }
        next = now + interval
        return true
    }

    /// Those that have been as they are for long enough.
    mutating func drained(
        _ changing: [FrontendKey: FrontendRecord], now: ContinuousClock.Instant
    ) -> [FrontendKey: FrontendRecord] {
        since = since.filter { changing[$0.key] == $0.value.record }
        for (key, record) in changing where since[key] == nil { since[key] = (record, now) }
        return changing.filter { key, _ in since[key].map { $0.at + patience <= now } ?? false }
    }
}
