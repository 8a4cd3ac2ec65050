// Backend sets by content: the same ordered backends are one range of the arena, however many frontends choose from it.

struct BackendSetTable: Sendable {
    /// Names a set while somebody refers to it.
    typealias Handle = Int32
    static let none: Handle = -1

    private struct Entry: Sendable {
        /// In the order of the set; positions in choice tables count from here.
        var ids: [UInt32]
        var start: UInt32
        var references: Int32 = 0
        /// Not yet in the arena: may be taken back without a grace period.
        var isFresh: Bool

        var range: Range<UInt32> { start..<(start + UInt32((ids.count + 1) / 2)) }
    }

    private var handles: [[UInt32]: Handle] = [:]
    private var entries: [Entry?] = []
    private var freeHandles: [Handle] = []
    private var fresh: [Handle] = []
    private var dropped: [Handle] = []

    func ids(of handle: Handle) -> [UInt32] { handle == Self.none ? [] : entry(handle).ids }

    func range(of handle: Handle) -> Range<UInt32> { entry(handle).range }

    mutating func reserveCapacity(_ count: Int) {
        handles.reserveCapacity(count)
        entries.reserveCapacity(count)
    }

    // MARK: References

    /// The set with one more reference; nil if the arena has no room for it. A new set takes over a reference to each
    /// of its backends from the caller, a set that exists does not: `isNew` says which.
    mutating func acquire(_ ids: [UInt32], from arena: inout ArenaAllocator) -> (handle: Handle, isNew: Bool)? {
        if let handle = handles[ids] {
            retain(handle)
            return (handle, false)
        }
        guard let range = arena.allocate((ids.count + 1) / 2) else { return nil }
        let handle = add(Entry(ids: ids, start: range.lowerBound, references: 1, isFresh: true))
        handles[ids] = handle
        fresh.append(handle)
        return (handle, true)
    }

    mutating func retain(_ handle: Handle) {
        guard handle != Self.none else { return }
        entries[Int(handle)]?.references += 1
    }

    /// Returns the backends to release, if that was a new set which is now gone without having been written.
    mutating func release(_ handle: Handle, into arena: inout ArenaAllocator) -> [UInt32] {
        guard handle != Self.none else { return [] }
        let entry = entry(handle)
        entries[Int(handle)]?.references -= 1
        guard entry.references == 1 else { return [] }
        guard entry.isFresh else {
            dropped.append(handle)
            return []
        }
        arena.free(entry.range)
        remove(handle)
        return entry.ids
    }

    // MARK: Restoring

    /// Takes over a set of the arena, without a reference so far.
    mutating func restore(_ ids: [UInt32], at start: UInt32) -> Handle {
        let handle = add(Entry(ids: ids, start: start, isFresh: false))
        if handles[ids] == nil { handles[ids] = handle }
        return handle
    }

    mutating func dropUnreferenced() {
        for (index, entry) in entries.enumerated() where entry?.references == 0 { dropped.append(Handle(index)) }
    }

    // MARK: Transactions

    /// Ends a transaction. Returns what to write, and the sets that nobody needs any more.
    mutating func finish() -> (
        writes: [(word: UInt32, words: [UInt64])], dropped: [(range: Range<UInt32>, ids: [UInt32])]
    ) {
        var writes: [(word: UInt32, words: [UInt64])] = []
        for handle in fresh where entries[Int(handle)]?.isFresh == true {
            let entry = entry(handle)
            entries[Int(handle)]?.isFresh = false
            writes.append((entry.start, SlotPacking.words(ofSet: entry.ids)))
        }
        var gone: [(range: Range<UInt32>, ids: [UInt32])] = []
        for handle in dropped where entries[Int(handle)]?.references == 0 {
            let entry = entry(handle)
            gone.append((entry.range, entry.ids))
            remove(handle)
        }
        fresh = []
        dropped = []
        return (writes, gone)
    }

    /// Every set that is written, in no particular order.
    func forEach(_ body: (_ range: Range<UInt32>, _ ids: [UInt32]) -> Void) {
        for case let entry? in entries { body(entry.range, entry.ids) }
    }

    private func entry(_ handle: Handle) -> Entry {
        guard let entry = entries[Int(handle)] else { preconditionFailure("backend set \(handle) is gone") }
        return entry
    }

    private mutating func add(_ entry: Entry) -> Handle {
        guard let handle = freeHandles.popLast() else {
            entries.append(entry)
            return Handle(entries.count - 1)
        }
        entries[Int(handle)] = entry
        return handle
    }

    private mutating func remove(_ handle: Handle) {
        let ids = entry(handle).ids
        if handles[ids] == handle { handles[ids] = nil }
        entries[Int(handle)] = nil
        freeHandles.append(handle)
    }
}
