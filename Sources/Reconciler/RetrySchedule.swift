// When to try again: exponential back-off with jitter. A pure state machine; time and randomness come from outside.

package struct RetrySchedule: Sendable {
    package struct Settings: Hashable, Sendable {
        /// The wait after the first failure.
        package var first: Duration
        package var longest: Duration
        /// Each wait is shortened by a random part of up to this share, so that nodes do not try in step.
        package var jitter: Double

        package init(first: Duration = .milliseconds(100), longest: Duration = .seconds(30), jitter: Double = 0.3) {
            self.first = first
            self.longest = longest
            self.jitter = jitter
        }
    }

    private let settings: Settings
    /// Failures in a row.
    package private(set) var failures = 0
    /// Nil when there is nothing to try again.
    package private(set) var next: ContinuousClock.Instant?

    package init(_ settings: Settings = Settings()) {
        self.settings = settings
    }

    package func isDue(at now: ContinuousClock.Instant) -> Bool {
        next.map { $0 <= now } ?? false
    }

    package mutating func failed(at now: ContinuousClock.Instant, using random: inout some RandomNumberGenerator) {
        var wait = settings.first
        for _ in 0..<min(failures, 62) where wait < settings.longest { wait *= 2 }
        failures += 1
        next = now + min(wait, settings.longest) * (1 - Double.random(in: 0...settings.jitter, using: &random))
    }

    package mutating func succeeded() {
        failures = 0
        next = nil
    }
}
