// Words to be written into the `slots` arena, as one flat buffer: a first sync writes hundreds of thousands of words in
// tens of thousands of places, most of them adjacent.

package struct SlotWrites: Hashable, Sendable {
    package struct Run: Hashable, Sendable {
        /// Index into `slots`.
        package var word: UInt32
        package var count: UInt32
    }

    /// In the order of writing: where two runs overlap, the later one counts.
    package private(set) var runs: [Run] = []
    /// The words of all runs, one run after the other.
    package private(set) var words: [UInt64] = []

    package init() {}

    package var isEmpty: Bool { runs.isEmpty }

    /// From the first word that is written to the last one; nil when there is nothing to write.
    package var extent: Range<Int>? {
        guard let first = runs.map(\.word).min(), let end = runs.map({ Int($0.word) + Int($0.count) }).max() else {
            return nil
        }
        return Int(first)..<end
    }

    /// Appends a run; joins it with the one before if they are adjacent.
    package mutating func append(_ new: some Collection<UInt64>, at word: UInt32) {
        guard !new.isEmpty else { return }
        words.append(contentsOf: new)
        if let last = runs.last, last.word + last.count == word {
            runs[runs.count - 1].count += UInt32(new.count)
        } else {
            runs.append(Run(word: word, count: UInt32(new.count)))
        }
    }

    package mutating func append(contentsOf other: SlotWrites) {
        other.forEach { word, words in append(words, at: word) }
    }

    /// Leaves out words that a later run writes again, once they are more than the others.
    package mutating func dropOverwritten() {
        guard words.count > 2 * WordRanges(self).count, let extent else { return }
        var latest: [UInt64?] = Array(repeating: nil, count: extent.count)
        forEach { word, words in
            for (offset, value) in words.enumerated() { latest[Int(word) - extent.lowerBound + offset] = value }
        }
        var compact = SlotWrites()
        for (offset, value) in latest.enumerated() {
            if let value { compact.append(CollectionOfOne(value), at: UInt32(extent.lowerBound + offset)) }
        }
        self = compact
    }

    /// Calls `body` with the first index and the words of each run, in order.
    package func forEach<Failure: Error>(
        _ body: (_ word: UInt32, _ words: ArraySlice<UInt64>) throws(Failure) -> Void
    ) throws(Failure) {
        var start = 0
        for run in runs {
            let end = start + Int(run.count)
            try body(run.word, words[start..<end])
            start = end
        }
    }
}
