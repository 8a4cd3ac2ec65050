// The words that some writes concern, for asking whether a range of the arena has one of them.

package struct WordRanges: Sendable {
    /// Ascending and apart.
    private let ranges: [Range<Int>]

    package init(_ writes: SlotWrites) {
        var ranges: [Range<Int>] = []
        for run in writes.runs.sorted(by: { $0.word < $1.word }) {
            let range = Int(run.word)..<(Int(run.word) + Int(run.count))
            if let last = ranges.last, range.lowerBound <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
        self.ranges = ranges
    }

    package var isEmpty: Bool { ranges.isEmpty }
    package var count: Int { ranges.reduce(0) { $0 + $1.count } }

    /// By binary search for the first range that ends after the start of the given one.
    package func overlap(_ range: Range<Int>) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound <= range.lowerBound { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].overlaps(range)
    }
}
