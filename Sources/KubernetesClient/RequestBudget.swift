// How often requests other than watches may be made: 5 a second, and 10 at once after a quiet time, unless the
// configuration says otherwise (API-6).

package struct RequestBudget: Sendable {
    /// Nil: as often as anybody likes.
    private let interval: Duration?
    private let burst: Int
    /// When the bucket would be full if nothing more were taken.
    private var fullAt: ContinuousClock.Instant?

    /// A negative `perSecond` is no limit, as for kube-proxy.
    package init(perSecond: Double = 5, burst: Int = 10) {
        interval = perSecond > 0 ? .seconds(1 / perSecond) : nil
        self.burst = burst
    }

    /// Takes one. Returns how long to wait before it may be used.
    package mutating func take(now: ContinuousClock.Instant) -> Duration {
        guard let interval else { return .zero }
        let full = max(fullAt ?? now, now) + interval
        fullAt = full
        return max(.zero, full - now - interval * burst)
    }
}
