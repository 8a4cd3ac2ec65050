// Which places of `frontend_records` are in use. A frontend that changes gets a fresh place; the old one is not given to
// anybody before the grace period is over, since a program may have found it just before the change.

package import DatapathImage

package struct FrontendPlaces: Sendable {
    private let grace: Duration
    private var allocator: IdentifierAllocator
    /// What the hash holds as far as known.
    private var current: [FrontendKey: UInt32] = [:]
    /// Places given up, oldest first, from `head` on.
    private var leaving: [(place: UInt32, since: ContinuousClock.Instant)] = []
    private var head = 0
    /// How programs find the places.
    private var index: FrontendIndex

    /// - Parameters:
    ///   - capacity: elements of the array; place 0 is never used.
    ///   - buckets: elements of the index, a power of two.
    package init(capacity: Int, buckets: Int, grace: Duration) {
        self.grace = grace
        allocator = IdentifierAllocator(highest: capacity - 1)
        index = FrontendIndex(buckets: buckets, places: capacity)
    }

    /// A place for a new record of the frontend: its home if that is free, else one that is nobody's home if there is any.
    /// Nil when all are taken or in their grace period.
    package mutating func take(for key: FrontendKey, at now: ContinuousClock.Instant) -> UInt32? {
        while head < leaving.count, leaving[head].since + grace <= now {
            allocator.free(leaving[head].place)
            head += 1
        }
        if head > 1024, head > leaving.count / 2 {
            leaving.removeFirst(head)
            head = 0
        }
        let home = index.home(of: key)
        return allocator.reserve(home) ? home : allocator.allocate(preferringFrom: index.firstHomeless)
    }

    /// Where a program looks first for the frontend's record.
    package func home(of key: FrontendKey) -> UInt32 { index.home(of: key) }

    /// The frontend's record is in this place now; the place that it had is given up.
    package mutating func settle(
        _ key: FrontendKey, in place: UInt32, at now: ContinuousClock.Instant,
        _ buckets: inout (some FrontendBuckets & ~Copyable)
    ) {
        let old = current.updateValue(place, forKey: key)
        index.settle(key, from: old, in: place, &buckets)
        if let old { giveUp(old, at: now) }
    }

    /// The frontend is gone.
    package mutating func remove(
        _ key: FrontendKey, at now: ContinuousClock.Instant, _ buckets: inout (some FrontendBuckets & ~Copyable)
    ) {
        guard let old = current.removeValue(forKey: key) else { return }
        index.remove(key, from: old, &buckets)
        giveUp(old, at: now)
    }

    /// A place that was taken for a record which did not become visible.
    package mutating func giveUp(_ place: UInt32, at now: ContinuousClock.Instant) {
        leaving.append((place, now))
    }

    /// Takes over what there really is: after a start, and after somebody else may have written to the maps. `found` are
    /// the frontends whose records are their own, so that no two of them share a place.
    package mutating func adopt(
        _ found: [FrontendKey: UInt32], at now: ContinuousClock.Instant,
        _ buckets: inout (some FrontendBuckets & ~Copyable)
    ) {
        let held = Set(found.values)
        for place in current.values where !held.contains(place) { giveUp(place, at: now) }
        let known = Set(current.values)
        // What is being given up already is not given up twice.
        current = found.filter { known.contains($0.value) || allocator.reserve($0.value) }
        index.adopt(current, &buckets)
    }
}
