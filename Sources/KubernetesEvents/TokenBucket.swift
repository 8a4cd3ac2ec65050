// How many events there may be about one object: some at once, and then one every few minutes, as the spam filter of
// Kubernetes' own clients has it.

struct TokenBucket: Sendable {
    private let capacity: Int
    private let interval: Duration
    /// When it would be full if nothing more were taken.
    private var fullAt: ContinuousClock.Instant?

    init(capacity: Int, interval: Duration) {
        self.capacity = capacity
        self.interval = interval
    }

    mutating func take(at now: ContinuousClock.Instant) -> Bool {
        let full = max(fullAt ?? now, now) + interval
        guard full - now <= interval * capacity else { return false }
        fullAt = full
        return true
    }

    func isFull(at now: ContinuousClock.Instant) -> Bool { fullAt.map { $0 <= now } ?? true }
}
