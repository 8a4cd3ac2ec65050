// Which words of the `slots` arena are free. Good fit: a free range of the smallest class that serves, the lowest
// address first, so that what is in use stays near the start. Waiting out the grace period is DatapathImage's business.

package struct ArenaAllocator: Sendable {
    package let capacity: UInt32
    /// Words that are not free.
    package private(set) var used: Int

    /// Both ends of every free range; neighbours are always joined.
    private var endByStart: [UInt32: UInt32] = [:]
    private var startByEnd: [UInt32: UInt32] = [:]
    /// For each size class the starts of its free ranges, lowest first, with leftovers of ranges that are gone.
    private var classes: [MinHeap]
    private var classEntries = 0
    /// Bit i of word w: class 64 w + i has entries.
    private var nonEmptyClasses: [UInt64]

    /// An arena in which everything is free except `occupied`, which must be ascending, apart from each other and
    /// inside.
    package init(capacity: UInt32, occupied: [Range<UInt32>] = []) {
        self.capacity = capacity
        self.used = Int(capacity)
        let count = Self.sizeClass(of: UInt32.max) + 1
        self.classes = Array(repeating: MinHeap(), count: count)
        self.nonEmptyClasses = Array(repeating: 0, count: (count + 63) / 64)
        var start: UInt32 = 0
        for range in occupied {
            precondition(range.lowerBound >= start && range.upperBound <= capacity, "occupied ranges overlap")
            free(start..<range.lowerBound)
            start = range.upperBound
        }
        free(start..<capacity)
    }

    /// A range of `count` words, or nil if no free range is long enough. An empty range needs no space and starts at 0.
    package mutating func allocate(_ count: Int) -> Range<UInt32>? {
        guard count > 0 else { return 0..<0 }
        guard count <= Int(capacity), let found = takeRange(atLeast: UInt32(count)) else { return nil }
        let end = found.lowerBound + UInt32(count)
        if end < found.upperBound { insert(end..<found.upperBound) }
        used += count
        return found.lowerBound..<end
    }

    /// Gives a range back. It must have been allocated or occupied, as a whole or as part of something larger.
    package mutating func free(_ range: Range<UInt32>) {
        guard !range.isEmpty else { return }
        used -= range.count
        var joined = range
        if let start = startByEnd[range.lowerBound] {
            remove(start..<range.lowerBound)
            joined = start..<joined.upperBound
        }
        if let end = endByStart[range.upperBound] {
            remove(range.upperBound..<end)
            joined = joined.lowerBound..<end
        }
        insert(joined)
    }

    // MARK: Free ranges

    private mutating func insert(_ range: Range<UInt32>) {
        endByStart[range.lowerBound] = range.upperBound
        startByEnd[range.upperBound] = range.lowerBound
        insertEntry(range.lowerBound, Self.sizeClass(of: UInt32(range.count)))
        if classEntries > 2 * endByStart.count + 64 { rebuildClasses() }
    }

    /// Leaves the class entry behind: it is recognised when it comes up.
    private mutating func remove(_ range: Range<UInt32>) {
        endByStart[range.lowerBound] = nil
        startByEnd[range.upperBound] = nil
    }

    private mutating func takeRange(atLeast count: UInt32) -> Range<UInt32>? {
        let own = Self.sizeClass(of: count)
        var next = nonEmptyClass(from: own)
        while let index = next {
            while let start = classes[index].minimum {
                guard let end = endByStart[start], Self.sizeClass(of: end - start) == index else {
                    removeEntry(index)
                    continue
                }
                // In its own class a range may be too short; then a larger class serves.
                guard end - start >= count else { break }
                removeEntry(index)
                remove(start..<end)
                return start..<end
            }
            next = nonEmptyClass(from: index + 1)
        }
        return takeRangeOfOwnClass(own, atLeast: count)
    }

    /// The last resort before the arena counts as full: every range of the class that may be just long enough.
    private mutating func takeRangeOfOwnClass(_ index: Int, atLeast count: UInt32) -> Range<UInt32>? {
        let fitting = classes[index].elements.lazy.filter { [endByStart] start in
            guard let end = endByStart[start] else { return false }
            return Self.sizeClass(of: end - start) == index && end - start >= count
        }
        guard let start = fitting.min(), let end = endByStart[start] else { return nil }
        remove(start..<end)
        return start..<end
    }

    private mutating func rebuildClasses() {
        for index in classes.indices { classes[index] = MinHeap() }
        for index in nonEmptyClasses.indices { nonEmptyClasses[index] = 0 }
        classEntries = 0
        for (start, end) in endByStart { insertEntry(start, Self.sizeClass(of: end - start)) }
    }

    // MARK: Entries of classes

    private mutating func insertEntry(_ start: UInt32, _ index: Int) {
        classes[index].insert(start)
        nonEmptyClasses[index / 64] |= 1 << UInt64(index % 64)
        classEntries += 1
    }

    /// Removes the lowest entry of the class.
    private mutating func removeEntry(_ index: Int) {
        classes[index].removeMinimum()
        if classes[index].minimum == nil { nonEmptyClasses[index / 64] &= ~(1 << UInt64(index % 64)) }
        classEntries -= 1
    }

    private func nonEmptyClass(from first: Int) -> Int? {
        guard first < classes.count else { return nil }
        var word = first / 64
        var bits = nonEmptyClasses[word] & (UInt64.max << UInt64(first % 64))
        while bits == 0 {
            word += 1
            guard word < nonEmptyClasses.count else { return nil }
            bits = nonEmptyClasses[word]
        }
        return word * 64 + bits.trailingZeroBitCount
    }

    /// Up to 64 words each length is a class of its own: backend sets are that small. Above, eight to a power of two.
    private static func sizeClass(of count: UInt32) -> Int {
        guard count > 64 else { return Int(count) }
        let exponent = 31 - count.leadingZeroBitCount
        let eighth = Int(count >> UInt32(exponent - 3)) & 7
        return 65 + (exponent - 6) * 8 + eighth
    }
}
