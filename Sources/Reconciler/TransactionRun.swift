// Performs one transaction against the store, phase by phase, and keeps what failed. A frontend is not flipped before
// everything that it refers to is written; nothing else waits for anything.

import DatapathImage

struct TransactionRun {
    private let store: any DatapathStore
    private let image: DatapathImage

    /// What is still to be written.
    private(set) var rest = Transaction()
    private(set) var errors: [StoreError] = []
    /// Why the frontends in `rest` are not in force.
    private(set) var reasons: [FrontendKey: String] = [:]
    private(set) var counters: ReconcilerCounters

    init(store: any DatapathStore, image: DatapathImage, counters: ReconcilerCounters) {
        self.store = store
        self.image = image
        self.counters = counters
    }

    mutating func perform(_ transaction: Transaction) {
        guard !transaction.isEmpty else { return }
        counters.transactions += 1
        writeSpace(transaction)
        flip(transaction)
        remove(transaction)
        followUp(transaction)
    }

    // MARK: Phase 1

    private mutating func writeSpace(_ transaction: Transaction) {
        if !transaction.slots.isEmpty {
            do throws(StoreError) {
                try store.writeSlots(transaction.slots)
                counters.written[.slots, default: 0] += UInt64(transaction.slots.words.count)
            } catch {
                // Order matters in the arena, so the whole of it is written again.
                rest.slots = transaction.slots
                note(error)
            }
        }
        rest.backends = attempt(transaction.backends, .backends) { store, writes throws(StoreError) in
            try store.writeBackends(writes)
        }
        rest.services = attempt(transaction.services, .services) { store, writes throws(StoreError) in
            try store.writeServices(writes)
        }
        rest.sourceRanges = attempt(transaction.sourceRanges, .sourceRanges) { store, writes throws(StoreError) in
            try store.updateSourceRanges(writes)
        }
    }

    // MARK: Phase 2

    private mutating func flip(_ transaction: Transaction) {
        let unwritten = UnwrittenSpace(
            slots: rest.slots, backends: rest.backends, sourceRanges: rest.sourceRanges)
        let blocked = transaction.frontends.filter { unwritten.blocks($0, in: image) }
        let blockedKeys = Set(blocked.map(\.key))
        let ready =
            blocked.isEmpty ? transaction.frontends : transaction.frontends.filter { !blockedKeys.contains($0.key) }
        for update in blocked { reasons[update.key] = errors.first?.description ?? "" }
        let failed = attempt(ready, .frontends) { store, updates throws(StoreError) in
            try store.updateFrontends(updates)
        }
        if !failed.isEmpty, let error = errors.last {
            for update in failed { reasons[update.key] = error.description }
        }
        rest.frontends = (failed + blocked).sorted { $0.key < $1.key }
        rest.nodePorts = attempt(transaction.nodePorts, .nodePorts) { store, keys throws(StoreError) in
            try store.updateNodePorts(keys)
        }
        rest.serviceCIDRs = attempt(transaction.serviceCIDRs, .serviceCIDRs) { store, keys throws(StoreError) in
            try store.updateServiceCIDRs(keys)
        }
    }

    // MARK: Phase 3

    private mutating func remove(_ transaction: Transaction) {
        let failed = attempt(transaction.removedFrontends, .frontends, removing: true) {
            store, removals throws(StoreError) in try store.deleteFrontends(removals.map(\.key))
        }
        if !failed.isEmpty, let error = errors.last {
            for removal in failed { reasons[removal.key] = error.description }
        }
        rest.removedFrontends = failed
        rest.removedNodePorts = attempt(transaction.removedNodePorts, .nodePorts, removing: true) {
            store, keys throws(StoreError) in try store.deleteNodePorts(keys)
        }
        rest.removedServiceCIDRs = attempt(transaction.removedServiceCIDRs, .serviceCIDRs, removing: true) {
            store, keys throws(StoreError) in try store.deleteServiceCIDRs(keys)
        }
        removeSourceRanges(transaction.removedSourceRanges)
        rest.removedServices = attempt(transaction.removedServices, .services, removing: true) {
            store, ids throws(StoreError) in try store.deleteServices(ids)
        }
    }

    /// A frontend that shows an earlier record for the time being is admitted to by the ranges of that time.
    private mutating func removeSourceRanges(_ keys: [SourceRangeKey]) {
        let shown = rest.frontends.compactMap(\.previous) + rest.removedFrontends.compactMap(\.previous)
        let waiting = Set(shown.filter(\.hasSourceRanges).map(\.serviceID))
        let removable = waiting.isEmpty ? keys : keys.filter { !waiting.contains($0.serviceID) }
        let failed = attempt(removable, .sourceRanges, removing: true) { store, keys throws(StoreError) in
            try store.deleteSourceRanges(keys)
        }
        let held = waiting.isEmpty ? [] : keys.filter { waiting.contains($0.serviceID) }
        rest.removedSourceRanges = (failed + held).sorted(by: SourceRangeKey.widerFirst)
    }

    // MARK: Phase 4

    /// Sockets and affinity records of a service port whose flip has failed would be made anew to the same backends:
    /// they wait for it.
    private mutating func followUp(_ transaction: Transaction) {
        var waiting = Set(rest.frontends.map(\.record.serviceID))
        waiting.formUnion(rest.frontends.compactMap { $0.previous?.serviceID })
        waiting.formUnion(rest.removedFrontends.compactMap { $0.previous?.serviceID })
        let forgettable = transaction.lostAffinity.filter { !waiting.contains($0.serviceID) }
        rest.lostAffinity = transaction.lostAffinity.filter { waiting.contains($0.serviceID) }
        rest.lostAffinity += attempt(forgettable, .affinity, removing: true) { store, lost throws(StoreError) in
            try store.forgetAffinity(lost)
        }
        let stale = transaction.staleSockets.filter { !waiting.contains($0.serviceID) }
        rest.staleSockets = transaction.staleSockets.filter { waiting.contains($0.serviceID) }
        rest.staleSockets += attempt(stale, .sockets, removing: true) { store, stale throws(StoreError) in
            try store.destroyStaleSockets(stale)
        }
    }

    // MARK: Calls

    /// Makes one call and returns the entries that failed.
    private mutating func attempt<Entry>(
        _ entries: [Entry], _ map: StoreError.Map, removing: Bool = false,
        _ call: (any DatapathStore, [Entry]) throws(StoreError) -> Void
    ) -> [Entry] {
        guard !entries.isEmpty else { return [] }
        var failed: [Entry] = []
        do throws(StoreError) {
            try call(store, entries)
        } catch {
            note(error)
            switch error.failed {
            case .everything: failed = entries
            case .entries(let positions): failed = positions.filter(entries.indices.contains).map { entries[$0] }
            }
        }
        let done = UInt64(entries.count - failed.count)
        if removing { counters.removed[map, default: 0] += done } else { counters.written[map, default: 0] += done }
        return failed
    }

    private mutating func note(_ error: StoreError) {
        errors.append(error)
        counters.failures[error.map, default: 0] += 1
    }
}
