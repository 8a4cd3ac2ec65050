// How often requests other than watches may be made: 5 a second, and 10 at once after a quiet time (API-6).

package struct RequestBudget: Sendable {
    private let interval: Duration
    private let burst: Int
    /// When the bucket would be full if nothing more were taken.
    private var fullAt: ContinuousClock.Instant?

    package init(perSecond: Int = 5, burst: Int = 10) {
        interval = .seconds(1) / perSecond
        self.burst = burst
    }

    /// Takes one. Returns how long to wait before it may be used.
    package mutating func take(now: ContinuousClock.Instant) -> Duration {
        let full = max(fullAt ?? now, now) + interval
        fullAt = full
        return max(.zero, full - now - interval * burst)
    }
}
