// Choice tables by content: the same ordered addresses and weights are one Maglev table in the arena, however many
// backend sets it serves and whatever their ports are. A table is filled once and then only remembered by its checksum.

import LoadBalancing

struct ChoiceTableStore: Sendable {
    /// Names a table while somebody refers to it.
    typealias Handle = Int32
    static let none: Handle = -1

    private struct Entry: Sendable {
        /// With weights over their greatest common divisor; nil for a table of the arena that no plan has asked for.
        var members: [MaglevTable.Member]?
        /// The words of a table that does not follow from members: one with marks (dp_frontend.previous).
        var marked: [UInt64]?
        var start: UInt32
        var slots: UInt32
        var width: UInt8
        var checksum: Int
        var references: Int32 = 0
        /// The words of a table that is not yet in the arena; it may be taken back without a grace period.
        var unwritten: [UInt64]?

        var range: Range<UInt32> {
            start..<(start + UInt32(SlotPacking.wordCount(slots: Int(slots), width: width)))
        }
    }

    private var handles: [[MaglevTable.Member]: Handle] = [:]
    private var markedHandles: [[UInt64]: Handle] = [:]
    private var entries: [Entry?] = []
    private var freeHandles: [Handle] = []
    private var fresh: [Handle] = []
    private var dropped: [Handle] = []
    /// Tables found in the arena, by checksum, until a plan asks for them.
    private var restored: [Int: [Handle]] = [:]

    /// Where a table is and how it is read.
    func shape(of handle: Handle) -> (range: Range<UInt32>, slots: UInt32, width: UInt8) {
        let entry = entry(handle)
        return (entry.range, entry.slots, entry.width)
    }

    // MARK: References

    /// The table with one more reference; nil if the arena has no room for it, `wordsWanted` words.
    mutating func acquire(
        _ members: [MaglevTable.Member], from arena: inout ArenaAllocator
    ) -> (handle: Handle?, wordsWanted: Int) {
        if let handle = handles[members] {
            retain(handle)
            return (handle, 0)
        }
        let table = MaglevTable(members)
        let width = SlotPacking.width(forSetOf: members.count)
        let words = SlotPacking.words(ofTable: table.positions, width: width)
        let checksum = Self.checksum(words[...])
        if let handle = takeRestored(checksum: checksum, slots: table.positions.count, width: width) {
            entries[Int(handle)]?.members = members
            handles[members] = handle
            retain(handle)
            return (handle, 0)
        }
        guard let range = arena.allocate(words.count) else { return (nil, words.count) }
        let handle = add(
            Entry(
                members: members, start: range.lowerBound, slots: UInt32(table.positions.count), width: width,
                checksum: checksum, references: 1, unwritten: words))
        handles[members] = handle
        fresh.append(handle)
        return (handle, 0)
    }

    /// A table with marks, as ready words; the same in everything else.
    mutating func acquire(
        marked words: [UInt64], slots: Int, width: UInt8, from arena: inout ArenaAllocator
    ) -> (handle: Handle?, wordsWanted: Int) {
        if let handle = markedHandles[words] {
            retain(handle)
            return (handle, 0)
        }
        guard let range = arena.allocate(words.count) else { return (nil, words.count) }
        let handle = add(
            Entry(
                members: nil, marked: words, start: range.lowerBound, slots: UInt32(slots), width: width,
                checksum: Self.checksum(words[...]), references: 1, unwritten: words))
        markedHandles[words] = handle
        fresh.append(handle)
        return (handle, 0)
    }

    /// The words of a table with marks.
    func markedWords(of handle: Handle) -> [UInt64]? { handle == Self.none ? nil : entry(handle).marked }

    /// The positions of a table by members; nil for a table that no plan has asked for. Cost: that of filling it.
    func positions(of handle: Handle) -> [UInt32]? { entry(handle).members.map { MaglevTable($0).positions } }

    /// What was restored is a table with marks.
    mutating func note(marked words: [UInt64], of handle: Handle) {
        guard handle != Self.none else { return }
        entries[Int(handle)]?.marked = words
        if markedHandles[words] == nil { markedHandles[words] = handle }
    }

    mutating func retain(_ handle: Handle) {
        guard handle != Self.none else { return }
        entries[Int(handle)]?.references += 1
    }

    mutating func release(_ handle: Handle, into arena: inout ArenaAllocator) {
        guard handle != Self.none else { return }
        let entry = entry(handle)
        entries[Int(handle)]?.references -= 1
        guard entry.references == 1 else { return }
        guard entry.unwritten != nil else {
            dropped.append(handle)
            return
        }
        arena.free(entry.range)
        remove(handle)
    }

    // MARK: Restoring

    /// Takes over a table of the arena, without a reference so far.
    mutating func restore(at start: UInt32, slots: UInt32, width: UInt8, words: ArraySlice<UInt64>) -> Handle {
        let checksum = Self.checksum(words)
        let handle = add(Entry(members: nil, start: start, slots: slots, width: width, checksum: checksum))
        restored[checksum, default: []].append(handle)
        return handle
    }

    /// Forgets what no plan has asked for, apart from what is still in use.
    mutating func dropUnreferenced() {
        for (index, entry) in entries.enumerated() where entry?.references == 0 { dropped.append(Handle(index)) }
        restored = [:]
    }

    private mutating func takeRestored(checksum: Int, slots: Int, width: UInt8) -> Handle? {
        guard let candidates = restored[checksum] else { return nil }
        let found = candidates.first {
            guard let entry = entries[Int($0)] else { return false }
            return entry.members == nil && entry.checksum == checksum && entry.slots == slots && entry.width == width
        }
        guard let found else { return nil }
        restored[checksum] = candidates.count == 1 ? nil : candidates.filter { $0 != found }
        return found
    }

    // MARK: Transactions

    /// Ends a transaction. Returns what to write, and the ranges that no set needs any more.
    mutating func finish() -> (writes: [(word: UInt32, words: [UInt64])], dropped: [Range<UInt32>]) {
        var writes: [(word: UInt32, words: [UInt64])] = []
        for handle in fresh {
            guard let entry = entries[Int(handle)], let words = entry.unwritten else { continue }
            entries[Int(handle)]?.unwritten = nil
            writes.append((entry.start, words))
        }
        var ranges: [Range<UInt32>] = []
        for handle in dropped where entries[Int(handle)]?.references == 0 {
            ranges.append(entry(handle).range)
            remove(handle)
        }
        fresh = []
        dropped = []
        return (writes, ranges)
    }

    /// The tables whose words in the arena are not what was written: with the words to write again, which are nil for
    /// a table that no plan has asked for.
    func damaged(in slots: [UInt64]) -> [(range: Range<UInt32>, words: [UInt64]?)] {
        entries.compactMap { entry in
            guard let entry else { return nil }
            let range = Int(entry.range.lowerBound)..<Int(entry.range.upperBound)
            if range.upperBound <= slots.count, Self.checksum(slots[range]) == entry.checksum { return nil }
            let words =
                entry.marked
                ?? entry.members.map { SlotPacking.words(ofTable: MaglevTable($0).positions, width: entry.width) }
            return (entry.range, words)
        }
    }

    /// Good within this process only: its key is random, so that no one can prepare two tables with the same.
    private static func checksum(_ words: ArraySlice<UInt64>) -> Int {
        var hasher = Hasher()
        for word in words { hasher.combine(word) }
        return hasher.finalize()
    }

    private func entry(_ handle: Handle) -> Entry {
        guard let entry = entries[Int(handle)] else { preconditionFailure("choice table \(handle) is gone") }
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
        if let members = entry(handle).members, handles[members] == handle { handles[members] = nil }
        if let words = entry(handle).marked, markedHandles[words] == handle { markedHandles[words] = nil }
        entries[Int(handle)] = nil
        freeHandles.append(handle)
    }
}
