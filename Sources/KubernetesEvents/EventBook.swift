// What has been told and what is still to be told: the same thing again is no new event but one more of a series, and no
// object gets more events than people can read. A value without clock or connection.

package import Foundation
import ServiceModel

package struct EventBook: Sendable {
    /// One moment on both clocks: one for measuring, one for people.
    package struct Moment: Sendable {
        package var instant: ContinuousClock.Instant
        package var date: Date

        package init(instant: ContinuousClock.Instant, date: Date) {
            self.instant = instant
            self.date = date
        }
    }

    private struct Entry {
        /// Of the event.
        var name: String
        var first: Date
        var last: Moment
        var count = 1
        /// The count that the server knows; 0: it does not know the event.
        var told = 0
        var toldAt: ContinuousClock.Instant?
        var isWaiting = true

        /// What is to be told of it later, if nothing else happens.
        func refreshIsDue(at now: ContinuousClock.Instant, _ limits: EventLimits) -> Bool {
            guard !isWaiting, count > told, let toldAt else { return false }
            // The first repetition makes the event a series.
            return told == 1 || now - toldAt >= limits.refresh
        }
    }

    private let limits: EventLimits
    private var entries: [EventNotice: Entry] = [:]
    private var waiting: [EventNotice] = []
    private var buckets: [EventObject: TokenBucket] = [:]
    package private(set) var counters = EventCounters()

    package init(limits: EventLimits = EventLimits()) {
        self.limits = limits
    }

    package var isIdle: Bool { waiting.isEmpty }

    // MARK: In

    /// Somebody has something to tell.
    package mutating func note(_ notice: EventNotice, at moment: Moment) {
        if var entry = entries[notice], entry.isWaiting || moment.instant - entry.last.instant < limits.quiet {
            counters.repeated += 1
            entry.count += 1
            entry.last = moment
            entries[notice] = entry
            refresh(notice, at: moment.instant)
            return
        }
        guard waiting.count < limits.queue else {
            drop(.queueFull)
            return
        }
        guard takeToken(notice.regarding, at: moment.instant) else {
            drop(.rate)
            return
        }
        makeRoom()
        entries[notice] = Entry(name: Self.name(of: notice, at: moment.date), first: moment.date, last: moment)
        waiting.append(notice)
    }

    /// Time has passed: brings series up to date, and forgets what was quiet for long enough.
    package mutating func tend(at now: ContinuousClock.Instant) {
        for (notice, entry) in entries where !entry.isWaiting {
            if entry.count > entry.told, entry.told > 0 {
                refresh(notice, at: now)
            } else if now - entry.last.instant >= limits.quiet {
                entries[notice] = nil
            }
        }
        if buckets.count > limits.objects { buckets = buckets.filter { !$0.value.isFull(at: now) } }
    }

    private mutating func refresh(_ notice: EventNotice, at now: ContinuousClock.Instant) {
        guard let entry = entries[notice], entry.refreshIsDue(at: now, limits), waiting.count < limits.queue else {
            return
        }
        entries[notice]?.isWaiting = true
        waiting.append(notice)
    }

    private mutating func takeToken(_ object: EventObject, at now: ContinuousClock.Instant) -> Bool {
        if buckets[object] == nil, buckets.count >= limits.objects {
            buckets = buckets.filter { !$0.value.isFull(at: now) }
            // A flood about ever other objects: nobody knows any more who has had how many.
            guard buckets.count < limits.objects else { return false }
        }
        return buckets[object, default: TokenBucket(capacity: limits.burst, interval: limits.interval)].take(at: now)
    }

    private mutating func makeRoom() {
        guard entries.count >= limits.remembered else { return }
        let idle = entries.filter { !$0.value.isWaiting }
        guard let oldest = idle.min(by: { $0.value.last.instant < $1.value.last.instant }) else { return }
        entries[oldest.key] = nil
    }

    private mutating func drop(_ reason: EventCounters.Drop) { counters.dropped[reason, default: 0] += 1 }

    /// As Kubernetes' own clients name events: unique without asking anybody.
    private static func name(of notice: EventNotice, at date: Date) -> String {
        // Of 253 bytes that names may have, 17 are for the time.
        let object = String(notice.regarding.identity.name.name.prefix(230))
        let nanoseconds = UInt64(max(0, date.timeIntervalSince1970) * 1e9)
        return "\(object).\(String(nanoseconds ^ UInt64.random(in: 0..<0x10000), radix: 16))"
    }

    // MARK: Out

    /// The next thing to send; nil when there is none. `finish` has to be called before the next one.
    package func next() -> EventWrite? {
        guard let notice = waiting.first, let entry = entries[notice] else { return nil }
        return EventWrite(
            notice: notice, name: entry.name, isNew: entry.told == 0, first: entry.first, last: entry.last.date,
            count: entry.count)
    }

    package mutating func finish(_ write: EventWrite, _ result: EventWrite.Result, at now: ContinuousClock.Instant) {
        waiting.removeAll { $0 == write.notice }
        switch result {
        case .done:
            if write.isNew { counters.created += 1 } else { counters.updated += 1 }
            entries[write.notice]?.told = write.count
            entries[write.notice]?.toldAt = now
            entries[write.notice]?.isWaiting = false
            refresh(write.notice, at: now)
        case .gone:
            // Events live for an hour or so, a series may go on for longer.
            entries[write.notice]?.told = 0
            waiting.append(write.notice)
        case .dropped(let reason):
            drop(reason)
            entries[write.notice] = nil
        }
    }
}

/// One request to be made: a new event, or a change of the series of one that is there.
package struct EventWrite: Hashable, Sendable {
    package enum Result: Hashable, Sendable {
        case done
        /// The event whose series goes on is not there any more.
        case gone
        case dropped(EventCounters.Drop)
    }

    package var notice: EventNotice
    package var name: String
    package var isNew: Bool
    package var first: Date
    package var last: Date
    package var count: Int
}
