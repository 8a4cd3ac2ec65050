// Back-off: longer and longer, never beyond the longest, never in step with others, over at the first success.

import Reconciler
import Testing

@Suite struct RetryScheduleTests {
    private let start = ContinuousClock.now

    @Test("waits double up to the longest")
    func doubles() {
        var random = SplitMix64(seed: 1)
        var schedule = RetrySchedule(.init(first: .milliseconds(100), longest: .seconds(1), jitter: 0))
        let waits = (0..<6).map { _ in
            schedule.failed(at: start, using: &random)
            return schedule.next.map { start.duration(to: $0) }
        }
        #expect(waits == [100, 200, 400, 800, 1000, 1000].map { .milliseconds($0) })
        #expect(schedule.failures == 6)
    }

    @Test("jitter shortens a wait by its share at most, and differs from seed to seed")
    func jitter() {
        let waits = (UInt64(0)..<50).map { seed in
            var random = SplitMix64(seed: seed)
            var schedule = RetrySchedule(.init(first: .seconds(1), longest: .seconds(1), jitter: 0.3))
            schedule.failed(at: start, using: &random)
            return schedule.next.map { start.duration(to: $0) } ?? .zero
        }
        #expect(waits.allSatisfy { $0 >= .milliseconds(700) && $0 <= .seconds(1) })
        #expect(Set(waits).count > 40)
    }

    @Test("a success ends it, and the next failure begins anew")
    func success() {
        var random = SplitMix64(seed: 1)
        var schedule = RetrySchedule(.init(first: .milliseconds(100), longest: .seconds(1), jitter: 0))
        #expect(!schedule.isDue(at: start))
        schedule.failed(at: start, using: &random)
        schedule.failed(at: start, using: &random)
        #expect(!schedule.isDue(at: start + .milliseconds(199)))
        #expect(schedule.isDue(at: start + .milliseconds(200)))
        schedule.succeeded()
        #expect(schedule.next == nil && schedule.failures == 0)
        schedule.failed(at: start, using: &random)
        #expect(schedule.next == start + .milliseconds(100))
    }

    @Test("a thousand failures in a row overflow nothing")
    func many() {
        var random = SplitMix64(seed: 1)
        var schedule = RetrySchedule()
        for _ in 0..<1000 { schedule.failed(at: start, using: &random) }
        #expect(schedule.next.map { $0 <= start + .seconds(30) } == true)
    }
}
