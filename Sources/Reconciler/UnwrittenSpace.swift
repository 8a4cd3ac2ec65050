// Space that a transaction could not write: frontends that refer to it must not be flipped.

import DatapathImage

struct UnwrittenSpace {
    /// Words, ascending and apart.
    private let ranges: [Range<Int>]
    private let backendIDs: Set<UInt32>

    init(slots: SlotWrites, backends: [Transaction.BackendWrite]) {
        var ranges: [Range<Int>] = []
        for run in slots.runs.sorted(by: { $0.word < $1.word }) {
            let range = Int(run.word)..<(Int(run.word) + Int(run.count))
            if let last = ranges.last, range.lowerBound <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                ranges.append(range)
            }
        }
        self.ranges = ranges
        backendIDs = Set(backends.map(\.id))
    }

    /// Whether the frontend, which is as the image wants it, would refer to any of it.
    func blocks(_ update: Transaction.FrontendUpdate, in image: DatapathImage) -> Bool {
        if !ranges.isEmpty, update.record.slotRanges.contains(where: overlaps) { return true }
        return !backendIDs.isEmpty && image.frontend(update.key, mayChooseAnyOf: backendIDs)
    }

    /// By binary search for the first range that ends after the start of the given one.
    private func overlaps(_ range: Range<Int>) -> Bool {
        var (low, high) = (0, ranges.count)
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound <= range.lowerBound { low = middle + 1 } else { high = middle }
        }
        return low < ranges.count && ranges[low].overlaps(range)
    }
}
