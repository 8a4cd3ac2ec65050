// The entries of `source_ranges`: which each service port should have, which are written. They are written before the
// frontends that ask for them, and stay for as long as a frontend in force does.

import NetworkTypes

struct SourceRangeTable: Sendable {
    private let limit: Int
    /// By service id; service ports without ranges are left out.
    private var wanted: [UInt32: SourceRangeRules] = [:]
    /// What the map holds as far as known, by service id.
    private var programmed: [UInt32: SourceRangeRules] = [:]
    private(set) var count = 0

    // Of the transaction that is being made:
    private var touched: Set<UInt32> = []
    /// New entries of service ids, and how many there are with them: they come before the removals.
    private var additions: [UInt32: Int] = [:]
    private var peak = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// Everything that the map should hold.
    var entries: SourceRangeRules {
        programmed.values.reduce(into: [:]) { all, rules in all.merge(rules) { first, _ in first } }
    }

    // MARK: Changes

    /// Notes what a service port should have. Throws if the map has no room; then it keeps what it has.
    mutating func want(_ rules: SourceRangeRules, of id: UInt32) throws(FrontendFailure.Reason) {
        let present = programmed[id]
        if rules.isEmpty, present == nil, wanted[id] == nil { return }
        let added = rules.keys.count { present?[$0] == nil }
        let newPeak = peak - (additions[id] ?? 0) + added
        guard added == 0 || newPeak <= limit else { throw .sourceRangesFull(limit: limit) }
        note(additions: added, of: id)
        wanted[id] = rules.isEmpty ? nil : rules
        if rules != present { touched.insert(id) }
    }

    /// The service port is gone.
    mutating func release(_ id: UInt32) {
        wanted[id] = nil
        note(additions: 0, of: id)
        if programmed[id] != nil { touched.insert(id) }
    }

    private mutating func note(additions count: Int, of id: UInt32) {
        peak += count - (additions[id] ?? 0)
        additions[id] = count == 0 ? nil : count
    }

    // MARK: Restoring

    mutating func restore(_ entries: SourceRangeRules) {
        for (key, admission) in entries { programmed[key.serviceID, default: [:]][key] = admission }
        count = entries.count
        peak = count
    }

    /// Has the next transaction look at everything that no plan has claimed.
    mutating func touchUnclaimed() {
        touched.formUnion(programmed.keys.filter { wanted[$0] == nil })
    }

    // MARK: Transactions

    /// Compares what is wanted with what is written. `isNeeded` says whether a frontend in force is admitted to by the
    /// ranges of its service id and family: then it keeps those that it has until there are others.
    mutating func finish(into transaction: inout Transaction, isNeeded: (UInt32, AddressFamily) -> Bool) {
        for id in touched {
            let (old, new) = (programmed[id] ?? [:], wanted[id] ?? [:])
            let kept = AddressFamily.allCases.filter { family in
                !new.keys.contains { $0.family == family } && isNeeded(id, family)
            }
            let removed = old.keys.filter { new[$0] == nil && !kept.contains($0.family) }
            for (key, admission) in new where old[key] != admission {
                transaction.sourceRanges.append(.init(key: key, admission: admission))
            }
            transaction.removedSourceRanges += removed
            var result = old
            for key in removed { result[key] = nil }
            result.merge(new) { $1 }
            programmed[id] = result.isEmpty ? nil : result
            count += result.count - old.count
        }
        transaction.sourceRanges.sort { SourceRangeKey.narrowerFirst($0.key, $1.key) }
        transaction.removedSourceRanges.sort(by: SourceRangeKey.widerFirst)
        touched = []
        additions = [:]
        peak = count
    }
}
