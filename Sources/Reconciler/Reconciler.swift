// The owner of the image of the maps: it takes plans, performs transactions against the store, tries again what failed,
// gives space back after its grace period, and audits. It has no clock and starts no task: every call says what time it
// is and is told when the next one is wanted. What the writes are is decided in DatapathImage.

package import DatapathImage
package import NetworkTypes
package import ServiceModel

package struct ReconcilerSettings: Hashable, Sendable {
    /// How long space that nothing refers to any more stays as it is: longer than any program can still be at work that
    /// has read the frontend before.
    package var grace: Duration
    /// Between two comparisons of all maps with the image; nil: never.
    package var auditInterval: Duration?
    package var retry: RetrySchedule.Settings
    /// How long a DSR flow may be silent after its backends have changed and still be known for what it is.
    package var drain: Duration

    package init(
        grace: Duration = .seconds(60), auditInterval: Duration? = .seconds(600),
        retry: RetrySchedule.Settings = .init(), drain: Duration = .seconds(3600)
    ) {
        self.drain = drain
        self.grace = grace
        self.auditInterval = auditInterval
        self.retry = retry
    }
}

package actor Reconciler {
    private let store: any DatapathStore
    private var settings: ReconcilerSettings
    private var random: SplitMix64

    private var image: DatapathImage
    /// What the store has refused so far, later changes included.
    private var pending = Transaction()
    private var reasons: [FrontendKey: String] = [:]
    private var retry: RetrySchedule
    private var failureLog = FailureLog()
    /// When the space may be reused that was quarantined up to a transaction, oldest first.
    private var graces: [(generation: UInt64, end: ContinuousClock.Instant)] = []
    private var nextAudit: ContinuousClock.Instant?
    private var drain: DrainSchedule
    /// Which sockets are looked through once more, and when.
    private var repeatedSweeps: [(due: ContinuousClock.Instant, swept: [StaleSockets])] = []
    /// Whether maps of an earlier run have been taken over, whose sockets have to be looked through once.
    private var owesSocketSweep = false

    package private(set) var counters = ReconcilerCounters()

    /// The store has refused something that is still to be written.
    package var hasUnwritten: Bool { !pending.isEmpty }

    /// Maps that are empty, or will be read with `restore()`. `seed` is for the jitter of retries.
    package init(
        store: any DatapathStore, limits: ImageLimits, settings: ReconcilerSettings = .init(), seed: UInt64
    ) {
        self.store = store
        self.settings = settings
        self.image = DatapathImage(limits: limits)
        self.retry = RetrySchedule(settings.retry)
        self.drain = DrainSchedule(patience: settings.drain)
        self.random = SplitMix64(seed: seed)
    }

    // MARK: Inputs

    /// Takes over what the maps hold. Call it first, before any plan.
    package func restore(now: ContinuousClock.Instant) throws(StoreError) {
        let contents: MapContents
        do throws(StoreError) {
            contents = try store.contents()
        } catch {
            counters.failures[error.map, default: 0] += 1
            throw error
        }
        image = DatapathImage(restoring: contents, limits: image.limits)
        owesSocketSweep = !contents.frontends.isEmpty
        nextAudit = settings.auditInterval.map { now + $0 }
    }

    /// Makes the maps follow the plans.
    @discardableResult
    package func apply(_ changes: [DatapathImage.Change], now: ContinuousClock.Instant) -> ReconcilerReport {
        perform(image.apply(changes), now: now)
    }

    @discardableResult
    package func setServiceCIDRs(_ ranges: [CIDR], now: ContinuousClock.Instant) -> ReconcilerReport {
        perform(image.setServiceCIDRs(ranges), now: now)
    }

    /// Every source has delivered everything that it has: removes what no plan claims, and looks through the sockets of
    /// an earlier run. Only the first call does anything.
    @discardableResult
    package func allSourcesSynced(now: ContinuousClock.Instant) -> ReconcilerReport {
        let sweep = takeSocketSweep()
        var transaction = image.removeUnclaimed()
        transaction.staleSockets = sweep
        return perform(transaction, now: now)
    }

    /// Every source has delivered what it has, and something of it could not be read: removes what belongs to these
    /// services and no plan claims, and looks through the sockets of an earlier run. May be called again.
    @discardableResult
    package func servicesSynced(_ services: Set<ObjectName>, now: ContinuousClock.Instant) -> ReconcilerReport {
        let sweep = takeSocketSweep()
        var transaction = image.removeUnclaimed(of: services)
        transaction.staleSockets = sweep
        return perform(transaction, now: now)
    }

    private func takeSocketSweep() -> [StaleSockets] {
        guard owesSocketSweep else { return [] }
        owesSocketSweep = false
        return image.socketSweep()
    }

    /// Does what is due: retries, ends of grace periods, second looks at sockets, audits.
    @discardableResult
    package func tick(now: ContinuousClock.Instant) -> ReconcilerReport {
        var report = ReconcilerReport()
        if retry.isDue(at: now) {
            counters.retries += 1
            perform(Transaction(), now: now, into: &report)
        }
        reclaim(now: now, into: &report)
        repeatSweeps(now: now, into: &report)
        settle(now: now, into: &report)
        if let due = nextAudit, due <= now { audit(now: now, into: &report) }
        return finish(report)
    }

    /// Compares the maps with the image now and repairs them.
    @discardableResult
    package func audit(now: ContinuousClock.Instant) -> ReconcilerReport {
        var report = ReconcilerReport()
        audit(now: now, into: &report)
        return finish(report)
    }

    /// Ends the tracking of DSR flows at frontends that have been as they are for long enough, and have no flow any more
    /// that needs it.
    private func settle(now: ContinuousClock.Instant, into report: inout ReconcilerReport) {
        guard drain.isDue(at: now) else { return }
        let drained = drain.drained(image.changing, now: now)
        guard !drained.isEmpty else { return }
        do throws(StoreError) {
            let moved = try store.frontendsWithMovedFlows(drained)
            let settled = drained.keys.filter { !moved.contains($0) }
            guard !settled.isEmpty else { return }
            perform(image.settle(settled.sorted()), now: now, into: &report)
        } catch {
            counters.failures[error.map, default: 0] += 1
            report.errors.append(error)
        }
    }

    /// Other settings from now on: periods that have begun end as they were to.
    package func set(grace: Duration, auditInterval: Duration?, now: ContinuousClock.Instant) {
        settings.grace = grace
        guard auditInterval != settings.auditInterval else { return }
        settings.auditInterval = auditInterval
        nextAudit = auditInterval.map { now + $0 }
    }

    // MARK: State

    /// The frontends that are not as planned, ordered.
    package var failedFrontends: [FrontendStatus] {
        failureLog.failed.values.sorted { $0.key < $1.key }
    }

    package func status(of key: FrontendKey) -> FrontendStatus? {
        if let failed = failureLog.failed[key] { return failed }
        return image.holds(key) ? FrontendStatus(key: key, state: .programmed) : nil
    }

    /// How many frontends of an earlier run no plan has claimed so far.
    package var unclaimedFrontends: Int { image.unclaimedFrontends }

    /// Service CIDRs that do not fit, ordered.
    package var failedServiceCIDRs: [CIDR] { image.failedServiceCIDRs }

    /// What is in use of each map, and what there is.
    package var usage: (used: ImageLimits, limits: ImageLimits) { (image.usage, image.limits) }

    /// Ids under which the datapath counts, ordered.
    package var serviceIDs: [(id: UInt32, name: ServicePortName)] { image.serviceIDs }

    /// Whether everything is written as planned and no space waits for a grace period.
    package var isSettled: Bool { pending.isEmpty && !image.hasFailures && image.oldestQuarantine == nil }

    // MARK: Performing

    private func perform(_ transaction: Transaction, now: ContinuousClock.Instant) -> ReconcilerReport {
        var report = ReconcilerReport()
        perform(transaction, now: now, into: &report)
        return finish(report)
    }

    /// Performs the transaction on top of what is pending; then, if that made room, what had none.
    private func perform(
        _ transaction: Transaction, now: ContinuousClock.Instant, into report: inout ReconcilerReport
    ) {
        write(transaction, now: now, into: &report)
        let madeRoom =
            !transaction.removedFrontends.isEmpty || !transaction.removedNodePorts.isEmpty
            || !transaction.removedServiceCIDRs.isEmpty || !transaction.removedSourceRanges.isEmpty
        let hasRetried = madeRoom && retryWithoutRoom(now: now, into: &report)
        noteFailures(now: now, attempted: hasRetried, into: &report)
    }

    /// Tries again what had no room. False if there is nothing of the kind.
    private func retryWithoutRoom(now: ContinuousClock.Instant, into report: inout ReconcilerReport) -> Bool {
        guard image.hasFailures else { return false }
        write(image.retryFailed(), now: now, into: &report)
        return true
    }

    private func write(
        _ transaction: Transaction, now: ContinuousClock.Instant, into report: inout ReconcilerReport
    ) {
        let waiting = pending.flippedKeys
        let all = pending.followed(by: transaction)
        var run = TransactionRun(store: store, image: image, counters: counters)
        run.perform(all)
        counters = run.counters
        pending = run.rest
        reasons = run.reasons
        report.errors += run.errors
        noteSweeps(all.staleSockets, now: now)
        if !transaction.quarantined.isEmpty { graces.append((transaction.generation, now + settings.grace)) }
        // What these frontends showed until now may belong to any earlier transaction: its grace period begins now.
        if !waiting.isSubset(of: pending.flippedKeys), let last = graces.last {
            graces = [(last.generation, now + settings.grace)]
        }
        if !pending.isEmpty {
            retry.failed(at: now, using: &random)
        } else {
            retry.succeeded()
        }
    }

    private func noteFailures(
        now: ContinuousClock.Instant, attempted hasRetried: Bool, into report: inout ReconcilerReport
    ) {
        var all = reasons
        var attempted = Set(reasons.keys)
        if image.hasFailures {
            for failure in image.failures {
                all[failure.key] = failure.reason.description
                if hasRetried { attempted.insert(failure.key) }
            }
        }
        let absent = Set(pending.frontends.lazy.filter { $0.previous == nil }.map(\.key))
        let removed = Set(pending.removedFrontends.map(\.key))
        let (failed, recovered) = failureLog.update(all, attempted: attempted, at: now) { key in
            removed.contains(key) || image.holds(key) && !absent.contains(key)
        }
        report.failed += failed
        report.recovered += recovered
    }

    // MARK: Grace periods

    private func reclaim(now: ContinuousClock.Instant, into report: inout ReconcilerReport) {
        guard let last = graces.last(where: { $0.end <= now }) else { return }
        counters.reclaims += 1
        let visible = pending.frontends.compactMap(\.previous) + pending.removedFrontends.compactMap(\.previous)
        let transaction = image.reclaim(through: last.generation, visible: visible)
        graces.removeAll { $0.generation <= last.generation }
        // What is still shown by a frontend that cannot be changed waits for another period.
        if let held = image.oldestQuarantine, held <= last.generation {
            graces.insert((last.generation, now + settings.grace), at: 0)
        }
        write(transaction, now: now, into: &report)
        let hasRetried = retryWithoutRoom(now: now, into: &report)
        noteFailures(now: now, attempted: hasRetried, into: &report)
    }

    // MARK: Sweeps

    /// A connect() that read the frontend before its flip may write its record after the sweep has passed, or the kernel
    /// its peer. When the grace period is over, no such call is left.
    private func noteSweeps(_ attempted: [StaleSockets], now: ContinuousClock.Instant) {
        let first = attempted.filter { !$0.isRepeat }
        guard !first.isEmpty else { return }
        let waiting = Set(pending.staleSockets)
        let swept = waiting.isEmpty ? first : first.filter { !waiting.contains($0) }
        if !swept.isEmpty { repeatedSweeps.append((now + settings.grace, swept)) }
    }

    private func repeatSweeps(now: ContinuousClock.Instant, into report: inout ReconcilerReport) {
        let due = repeatedSweeps.filter { $0.due <= now }
        guard !due.isEmpty else { return }
        repeatedSweeps.removeAll { $0.due <= now }
        var transaction = Transaction()
        transaction.staleSockets = image.repeatedSweep(due.flatMap(\.swept))
        if !transaction.isEmpty { perform(transaction, now: now, into: &report) }
    }

    // MARK: Audits

    private func audit(now: ContinuousClock.Instant, into report: inout ReconcilerReport) {
        nextAudit = settings.auditInterval.map { now + $0 }
        let contents: MapContents
        do throws(StoreError) {
            contents = try store.contents()
        } catch {
            counters.failures[error.map, default: 0] += 1
            report.errors.append(error)
            return
        }
        counters.audits += 1
        // Differences that are known do not have to be found.
        let found = image.audit(contents, pending: pending)
        counters.differencesFound += UInt64(found.differences)
        report.audit = found
        guard !found.repair.isEmpty else { return }
        perform(withoutForeign(found.repair, into: &report), now: now, into: &report)
        if pending.isEmpty { counters.repairs += 1 }
    }

    /// Removes what is too much, and returns what is left to do. It goes before everything else: it may take the room of
    /// what is pending.
    private func withoutForeign(_ repair: Transaction, into report: inout ReconcilerReport) -> Transaction {
        let (removals, others) = repair.withRemovalsApart
        var run = TransactionRun(store: store, image: image, counters: counters)
        run.perform(removals)
        counters = run.counters
        report.errors += run.errors
        return run.rest.followed(by: others)
    }

    private func finish(_ report: ReconcilerReport) -> ReconcilerReport {
        var report = report
        let next = [retry.next, graces.map(\.end).min(), repeatedSweeps.map(\.due).min(), nextAudit]
        report.next = next.compactMap { $0 }.min()
        return report
    }
}

extension Transaction {
    /// The frontends that change or go.
    fileprivate var flippedKeys: Set<FrontendKey> {
        Set(frontends.map(\.key)).union(removedFrontends.map(\.key))
    }

    /// What takes entries out of maps that packets are matched with, and everything else.
    fileprivate var withRemovalsApart: (removals: Transaction, others: Transaction) {
        var (removals, others) = (Transaction(), self)
        (removals.removedFrontends, others.removedFrontends) = (removedFrontends, [])
        (removals.removedNodePorts, others.removedNodePorts) = (removedNodePorts, [])
        (removals.removedServiceCIDRs, others.removedServiceCIDRs) = (removedServiceCIDRs, [])
        (removals.removedSourceRanges, others.removedSourceRanges) = (removedSourceRanges, [])
        return (removals, others)
    }
}
