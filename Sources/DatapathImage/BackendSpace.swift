// Everything that frontends refer to: backends, the sets of them and the choice tables over those, in one arena.
// Whoever uses a list holds a reference to it; what loses its last one is quarantined by the transaction.

import CDatapathABI
import LoadBalancing
import NetworkTypes

struct BackendSpace: Sendable {
    /// A list of backends as one policy of a frontend uses it.
    struct Reference: Hashable, Sendable {
        var set = BackendSetTable.none
        var table = ChoiceTableStore.none
    }

    private(set) var backends: BackendTable
    private(set) var sets = BackendSetTable()
    private(set) var tables = ChoiceTableStore()
    private var arena: ArenaAllocator
    private let limits: ImageLimits

    init(limits: ImageLimits) {
        self.limits = limits
        backends = BackendTable(limit: limits.backends)
        arena = ArenaAllocator(capacity: UInt32(clamping: limits.slotWords))
    }

    /// The words of the arena that are not free, quarantined ones included.
    var slotWordsUsed: Int { arena.used }

    /// Makes room for so many lists of so many backends in all, which are about to come.
    mutating func reserveCapacity(lists: Int, backends count: Int) {
        sets.reserveCapacity(lists)
        backends.reserveCapacity(count)
    }

    // MARK: References

    /// A reference to the list, which is not empty and ordered. On failure nothing has changed.
    mutating func acquire(
        _ list: [Backend], protocol protocolKind: TransportProtocol, byTable: Bool
    ) throws(FrontendFailure.Reason) -> Reference {
        let set = try acquireSet(list, protocolKind)
        let weighted = list.contains { $0.weight != list[0].weight }
        guard list.count > 1, byTable || weighted else { return Reference(set: set) }
        let members = MaglevTable.reduced(
            list.map { MaglevTable.Member(address: $0.address.address, weight: $0.weight) })
        let (table, wordsWanted) = tables.acquire(members, from: &arena)
        guard let table else {
            releaseSet(set)
            throw .slotsFull(wordsWanted: wordsWanted, limit: limits.slotWords)
        }
        return Reference(set: set, table: table)
    }

    /// The backend in each slot of a list; nil when that cannot be told. A list without a table is one slot for each.
    func owners(of reference: Reference) -> [UInt32]? {
        let ids = sets.ids(of: reference.set)
        guard reference.table != ChoiceTableStore.none else { return ids }
        return tables.positions(of: reference.table)?.map { ids[Int($0)] }
    }

    /// A reference to a set that there is, with a table that marks the slots which have moved: `entries` are positions in
    /// the set, marked ones with the top bit of `width`.
    mutating func acquire(
        _ set: BackendSetTable.Handle, marked entries: [UInt32], width: UInt8
    ) throws(FrontendFailure.Reason) -> Reference {
        let words = SlotPacking.words(ofTable: entries, width: width)
        let (table, wordsWanted) = tables.acquire(marked: words, slots: entries.count, width: width, from: &arena)
        guard let table else { throw .slotsFull(wordsWanted: wordsWanted, limit: limits.slotWords) }
        sets.retain(set)
        return Reference(set: set, table: table)
    }

    mutating func noteMarked(_ words: ArraySlice<UInt64>, of reference: Reference) {
        tables.note(marked: Array(words), of: reference.table)
    }

    mutating func retain(_ reference: Reference) {
        sets.retain(reference.set)
        tables.retain(reference.table)
    }

    mutating func release(_ reference: Reference) {
        releaseSet(reference.set)
        tables.release(reference.table, into: &arena)
    }

    /// Notes what the backends of a list that has been acquired are like now.
    mutating func setTraits(_ list: [Backend], of reference: Reference) {
        for (backend, id) in zip(list, sets.ids(of: reference.set)) {
            backends.setTraits(BackendTable.Traits(backend), of: id)
        }
    }

    /// The choice that forwards to the list.
    func choice(_ reference: Reference) -> dp_choice {
        var choice = dp_choice()
        choice.action = UInt8(DP_ACTION_FORWARD.rawValue)
        choice.set_word = sets.range(of: reference.set).lowerBound
        choice.set_count = UInt32(sets.ids(of: reference.set).count)
        guard reference.table != ChoiceTableStore.none else { return choice }
        let shape = tables.shape(of: reference.table)
        choice.table_word = shape.range.lowerBound
        choice.table_slots = shape.slots
        choice.table_width = shape.width
        return choice
    }

    private mutating func acquireSet(
        _ list: [Backend], _ protocolKind: TransportProtocol
    ) throws(FrontendFailure.Reason) -> BackendSetTable.Handle {
        var ids: [UInt32] = []
        ids.reserveCapacity(list.count)
        for backend in list {
            let key = BackendTable.Key(address: backend.address, protocolKind: protocolKind)
            guard let id = backends.acquire(key, BackendTable.Traits(backend)) else {
                for id in ids { backends.release(id) }
                throw .backendsFull(limit: limits.backends)
            }
            ids.append(id)
        }
        guard let (handle, isNew) = sets.acquire(ids, from: &arena) else {
            for id in ids { backends.release(id) }
            throw .slotsFull(wordsWanted: (ids.count + 1) / 2, limit: limits.slotWords)
        }
        // A set that exists has references of its own.
        if !isNew { for id in ids { backends.release(id) } }
        return handle
    }

    private mutating func releaseSet(_ handle: BackendSetTable.Handle) {
        for id in sets.release(handle, into: &arena) { backends.release(id) }
    }

    // MARK: Restoring

    /// Space found in the maps: `occupied` is ascending and apart.
    mutating func restoreArena(occupied: [Range<UInt32>]) {
        arena = ArenaAllocator(capacity: arena.capacity, occupied: occupied)
    }

    mutating func restoreBackend(_ id: UInt32, record: BackendRecord) -> Bool {
        backends.restore(id, record: record)
    }

    mutating func reserveBackend(_ id: UInt32) -> Bool { backends.reserve(id) }

    mutating func restoreSet(_ ids: [UInt32], at start: UInt32) -> BackendSetTable.Handle {
        for id in ids { backends.retain(id) }
        return sets.restore(ids, at: start)
    }

    mutating func restoreTable(
        at start: UInt32, slots: UInt32, width: UInt8, words: ArraySlice<UInt64>
    ) -> ChoiceTableStore.Handle {
        tables.restore(at: start, slots: slots, width: width, words: words)
    }

    /// What was restored and nobody refers to is dropped with the next transaction.
    mutating func dropUnreferenced() {
        sets.dropUnreferenced()
        tables.dropUnreferenced()
        backends.dropUnreferenced()
    }

    // MARK: Transactions

    /// Ends a transaction: what is to be written into fresh space, and what is quarantined.
    mutating func finish(into transaction: inout Transaction) {
        let (setWrites, goneSets) = sets.finish()
        let (tableWrites, tableRanges) = tables.finish()
        for set in goneSets {
            for id in set.ids { backends.release(id) }
            transaction.quarantined.members[set.range] = set.ids
        }
        let (backendWrites, backendIDs) = backends.finish()
        for (word, words) in (setWrites + tableWrites).sorted(by: { $0.word < $1.word }) {
            transaction.slots.append(words, at: word)
        }
        transaction.backends = backendWrites
        transaction.quarantined.slotRanges += goneSets.map(\.range) + tableRanges
        transaction.quarantined.backendIDs += backendIDs
    }

    /// Takes space back whose grace period is over.
    mutating func free(slotRange: Range<UInt32>) { arena.free(slotRange) }
    mutating func free(backendID: UInt32) { backends.free(backendID) }
}
