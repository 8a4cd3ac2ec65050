// What records refer to that are still in the map although they were to go: it must not be reused yet, and nothing else
// is kept from being reused because of them.

struct ShownSpace {
    private let ranges: [Range<Int>]
    private let serviceIDs: Set<UInt32>
    private let backendIDs: Set<UInt32>

    /// `quarantine` is everything that waits; the members of a set may wait longer than the set itself.
    init(_ records: [FrontendRecord], _ quarantine: [Transaction.Quarantined]) {
        let ranges = records.flatMap(\.slotRanges).filter { !$0.isEmpty }
        self.ranges = ranges
        serviceIDs = Set(records.map(\.serviceID))
        guard !ranges.isEmpty else {
            backendIDs = []
            return
        }
        // What cannot be read may name anything that waits.
        guard !quarantine.contains(where: \.isUnreadable) else {
            backendIDs = Set(quarantine.flatMap(\.backendIDs))
            return
        }
        backendIDs = quarantine.reduce(into: []) { ids, batch in
            for (range, members) in batch.members where Self.overlaps(range, ranges) { ids.formUnion(members) }
        }
    }

    /// What has to wait on, and what may be reused.
    func split(
        _ batch: Transaction.Quarantined
    ) -> (held: Transaction.Quarantined, released: Transaction.Quarantined) {
        guard !ranges.isEmpty || !serviceIDs.isEmpty else { return (Transaction.Quarantined(), batch) }
        var (held, released) = (Transaction.Quarantined(), Transaction.Quarantined())
        for range in batch.slotRanges {
            if Self.overlaps(range, ranges) {
                held.slotRanges.append(range)
                held.members[range] = batch.members[range]
            } else {
                released.slotRanges.append(range)
            }
        }
        held.isUnreadable = batch.isUnreadable
        held.backendIDs = batch.backendIDs.filter(backendIDs.contains)
        released.backendIDs = batch.backendIDs.filter { !backendIDs.contains($0) }
        held.serviceIDs = batch.serviceIDs.filter(serviceIDs.contains)
        released.serviceIDs = batch.serviceIDs.filter { !serviceIDs.contains($0) }
        return (held, released)
    }

    private static func overlaps(_ range: Range<UInt32>, _ ranges: [Range<Int>]) -> Bool {
        ranges.contains { $0.overlaps(Int(range.lowerBound)..<Int(range.upperBound)) }
    }
}
