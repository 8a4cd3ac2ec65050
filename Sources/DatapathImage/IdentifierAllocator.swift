// Small numbers for things that have an element in a kernel array: service ids and backend ids. Dense, from 1. A freed
// number comes round again as late as density allows, since counters and affinity records may still name it.

package struct IdentifierAllocator: Sendable {
    /// The highest identifier.
    package let highest: UInt32
    package private(set) var used = 0

    /// Bit i of word w: identifier 64 w + i is in use. Grows on demand; bit 0 stays set: there is no identifier 0.
    private var words: [UInt64] = [1]
    /// Where the search goes on.
    private var cursor: UInt32 = 1

    /// Identifiers 1...highest, those of `occupied` in use. Identifiers outside of that range are ignored.
    package init(highest: Int, occupied: some Sequence<UInt32> = EmptyCollection<UInt32>()) {
        self.highest = UInt32(clamping: max(highest, 0))
        for identifier in occupied { reserve(identifier) }
    }

    package func isUsed(_ identifier: UInt32) -> Bool {
        let word = Int(identifier / 64)
        return word < words.count && words[word] & (1 << UInt64(identifier % 64)) != 0
    }

    /// Marks one as in use. False if it was already, or is none of 1...highest.
    @discardableResult
    package mutating func reserve(_ identifier: UInt32) -> Bool {
        guard identifier >= 1, identifier <= highest, !isUsed(identifier) else { return false }
        mark(identifier)
        return true
    }

    /// Nil when all are in use.
    package mutating func allocate() -> UInt32? {
        guard used < Int(highest) else { return nil }
        // Twice what is in use before starting over: late reuse, and arrays that stay short.
        let window = min(highest, UInt32(clamping: max(1024, 2 * used)))
        if cursor > window { cursor = 1 }
        let found = firstFree(from: cursor, to: window) ?? firstFree(from: 1, to: highest)
        guard let found else { return nil }
        mark(found)
        cursor = found + 1
        return found
    }

    /// The first free one from `first` on, and any other where there is none; nil when all are in use.
    package mutating func allocate(preferringFrom first: UInt32) -> UInt32? {
        guard used < Int(highest) else { return nil }
        guard let found = firstFree(from: max(first, 1), to: highest) else { return allocate() }
        mark(found)
        return found
    }

    /// The identifier must be in use.
    package mutating func free(_ identifier: UInt32) {
        precondition(identifier >= 1 && isUsed(identifier), "identifier \(identifier) is not in use")
        words[Int(identifier / 64)] &= ~(1 << UInt64(identifier % 64))
        used -= 1
    }

    private mutating func mark(_ identifier: UInt32) {
        let word = Int(identifier / 64)
        if word >= words.count { words.append(contentsOf: repeatElement(0, count: word + 1 - words.count)) }
        words[word] |= 1 << UInt64(identifier % 64)
        used += 1
    }

    private func firstFree(from first: UInt32, to last: UInt32) -> UInt32? {
        guard first <= last else { return nil }
        var word = Int(first / 64)
        var bits = (word < words.count ? words[word] : 0) | ((1 << UInt64(first % 64)) - 1)
        while bits == .max {
            word += 1
            guard word * 64 <= Int(last) else { return nil }
            bits = word < words.count ? words[word] : 0
        }
        let found = UInt32(word * 64 + (~bits).trailingZeroBitCount)
        return found <= last ? found : nil
    }
}
