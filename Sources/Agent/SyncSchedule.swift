// When the agent takes in what is new, and when it goes on with what is left of a big change: a pure state machine; the
// time comes from outside. AgentService does what it says.
//
// An isolated change is taken in at once. After a sync, news waits for the minimum interval, counted from the end of that
// sync, and all that comes meanwhile becomes one sync (SYNC-3). The wait does not begin anew with each change, so a steady
// stream starves nobody: no change waits for longer than the minimum interval and the step that is being done. A big
// change is programmed in pieces; between two of them what is new is taken in once, and after that comes a piece again, so
// that neither holds the other up.

package struct SyncSchedule: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package enum Step: Hashable, Sendable {
        /// Take in everything that is new, as one change.
        case takeNews
        /// Program the next piece of what is left.
        case programPiece
        /// Nothing to do before that time; nil: before there is something new.
        case wait(until: Instant?)
    }

    /// From the end of a sync to the beginning of the next; zero: none.
    package var minimumInterval: Duration
    private var hasNews = false
    private var hasBacklog = false
    private var hasTakenNewsSincePiece = false
    /// When the newest sync that had something to write ended; nil: there was none (SYNC-2).
    private var lastEnd: Instant?

    package init(minimumInterval: Duration) {
        self.minimumInterval = minimumInterval
    }

    /// There is something to take in.
    package mutating func noteNews() { hasNews = true }

    /// There is a big change that is not programmed to its end.
    package mutating func noteBacklog() { hasBacklog = true }

    package func next(now: Instant) -> Step {
        if hasBacklog { return hasNews && !hasTakenNewsSincePiece ? .takeNews : .programPiece }
        guard hasNews else { return .wait(until: nil) }
        guard let lastEnd, now < lastEnd + minimumInterval else { return .takeNews }
        return .wait(until: lastEnd + minimumInterval)
    }

    /// The step is about to be done: what comes from now on is new.
    package mutating func begin(_ step: Step) {
        switch step {
        case .takeNews: (hasNews, hasTakenNewsSincePiece) = (false, true)
        case .programPiece: hasTakenNewsSincePiece = false
        case .wait: break
        }
    }

    /// The step is done.
    ///
    /// - Parameters:
    ///   - hasWritten: whether there was anything to program. News that makes no difference is no sync.
    ///   - hasBacklog: whether a big change is not programmed to its end.
    package mutating func end(hasWritten: Bool, hasBacklog: Bool, at now: Instant) {
        if hasWritten { lastEnd = now }
        self.hasBacklog = hasBacklog
        if !hasBacklog { hasTakenNewsSincePiece = false }
    }
}
