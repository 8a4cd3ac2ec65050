// When news is taken in and pieces are programmed, with a clock that the test moves.

import Agent
import Testing

@Suite("When the agent syncs")
struct SyncScheduleTests {
    private static let start = ContinuousClock.now

    /// A schedule and a clock; every step is done in no time.
    private struct Run {
        var schedule: SyncSchedule
        var now = SyncScheduleTests.start
        /// Of syncs, in milliseconds from the start.
        var syncs: [Int] = []
        var backlog = 0
        var steps: [SyncSchedule.Step] = []

        init(minimum: Duration) { schedule = SyncSchedule(minimumInterval: minimum) }

        var elapsed: Int { Int((now - SyncScheduleTests.start) / .milliseconds(1)) }

        /// Does everything that is to be done now.
        mutating func run(pieces: Int = 0, limit: Int = 100) {
            backlog += pieces
            for _ in 0..<limit {
                let step = schedule.next(now: now)
                if case .wait = step { return }
                take(step)
            }
        }

        mutating func take(_ step: SyncSchedule.Step) {
            steps.append(step)
            schedule.begin(step)
            if step == .takeNews { syncs.append(elapsed) }
            if step == .programPiece { backlog -= 1 }
            schedule.end(hasWritten: true, hasBacklog: backlog > 0, at: now)
        }
    }

    @Test("SYNC-2, SYNC-3: the first change and an isolated one are taken in at once")
    func isolated() {
        var run = Run(minimum: .seconds(1))
        #expect(run.schedule.next(now: run.now) == .wait(until: nil))
        for _ in 0..<3 {
            run.schedule.noteNews()
            run.run()
            run.now += .seconds(5)
        }
        #expect(run.syncs == [0, 5000, 10000])
    }

    @Test("SYNC-3: what comes within the minimum interval of a sync's end is one further sync")
    func coalescing() {
        var run = Run(minimum: .seconds(1))
        run.schedule.noteNews()
        run.run()
        for _ in 0..<100 {
            run.now += .milliseconds(5)
            run.schedule.noteNews()
            run.run()
        }
        #expect(run.schedule.next(now: run.now) == .wait(until: Self.start + .seconds(1)))
        run.now = Self.start + .seconds(1)
        run.run()
        #expect(run.syncs == [0, 1000])
        #expect(run.schedule.next(now: run.now) == .wait(until: nil))
    }

    @Test("SYNC-3: a stream of changes without a pause is synced once in every interval")
    func steadyStream() {
        var run = Run(minimum: .milliseconds(100))
        for _ in 0..<1000 {
            run.schedule.noteNews()
            run.run()
            run.now += .milliseconds(1)
        }
        #expect(run.syncs == Array(stride(from: 0, to: 1000, by: 100)))
    }

    @Test("SYNC-3: the interval counts from the end of a sync")
    func longSync() {
        var run = Run(minimum: .seconds(1))
        run.schedule.noteNews()
        run.schedule.begin(.takeNews)
        run.schedule.noteNews()
        run.now += .seconds(10)
        run.schedule.end(hasWritten: true, hasBacklog: false, at: run.now)
        #expect(run.schedule.next(now: run.now) == .wait(until: run.now + .seconds(1)))
    }

    @Test("SYNC-3: without a minimum interval nothing waits")
    func none() {
        var run = Run(minimum: .zero)
        for _ in 0..<10 {
            run.schedule.noteNews()
            run.run()
        }
        #expect(run.syncs.count == 10)
    }

    @Test("SYNC-11: news that makes no difference is no sync to keep a distance from")
    func indifferentNews() {
        var run = Run(minimum: .seconds(1))
        run.schedule.noteNews()
        run.schedule.begin(.takeNews)
        run.schedule.end(hasWritten: false, hasBacklog: false, at: run.now)
        run.schedule.noteNews()
        #expect(run.schedule.next(now: run.now) == .takeNews)
    }

    @Test("between the pieces of a big change news is taken in at once, and holds no piece up")
    func pieces() {
        var run = Run(minimum: .seconds(1))
        run.schedule.noteNews()
        run.backlog = 3
        run.take(run.schedule.next(now: run.now))
        // News all the time: before every step.
        for _ in 0..<5 {
            run.schedule.noteNews()
            run.take(run.schedule.next(now: run.now))
        }
        #expect(
            run.steps == [.takeNews, .programPiece, .takeNews, .programPiece, .takeNews, .programPiece])
        #expect(run.backlog == 0)
    }
}
