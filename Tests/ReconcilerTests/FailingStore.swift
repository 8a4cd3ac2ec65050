// A store that refuses certain calls until further notice, and passes everything else on.

import DatapathImage
import DatapathTestSupport
import Reconciler
import Synchronization

final class FailingStore: DatapathStore {
    private let base: FakeDatapathStore
    private struct Refusals {
        var frontends: Set<FrontendKey> = []
        var capacity = Int.max
        var slots = false
        var sockets = false
        var sourceRanges = false
    }

    private let refusals = Mutex(Refusals())

    init(_ base: FakeDatapathStore) { self.base = base }

    func refuse(_ keys: Set<FrontendKey>) { refusals.withLock { $0.frontends = keys } }
    /// How many frontends the map takes, whoever has put them there.
    func setCapacity(_ count: Int) { refusals.withLock { $0.capacity = count } }
    func refuseSlots(_ isRefused: Bool) { refusals.withLock { $0.slots = isRefused } }
    func refuseSourceRanges(_ isRefused: Bool) { refusals.withLock { $0.sourceRanges = isRefused } }
    func refuseSockets(_ isRefused: Bool) { refusals.withLock { $0.sockets = isRefused } }

    func updateFrontends(_ updates: [Transaction.FrontendUpdate]) throws(StoreError) {
        let refusals = refusals.withLock { $0 }
        var present = Set(try base.contents().frontends.keys)
        let failed = updates.indices.filter { index in
            let key = updates[index].key
            if refusals.frontends.contains(key) { return true }
            if present.contains(key) { return false }
            guard present.count < refusals.capacity else { return true }
            present.insert(key)
            return false
        }
        let failing = Set(failed)
        try base.updateFrontends(updates.indices.filter { !failing.contains($0) }.map { updates[$0] })
        try report(failed, .write)
    }

    func deleteFrontends(_ keys: [FrontendKey]) throws(StoreError) {
        let refused = refusals.withLock { $0.frontends }
        try base.deleteFrontends(keys.filter { !refused.contains($0) })
        try report(keys.indices.filter { refused.contains(keys[$0]) }, .delete)
    }

    private func report(_ positions: [Int], _ operation: StoreError.Operation) throws(StoreError) {
        guard !positions.isEmpty else { return }
        throw StoreError(
            map: .frontends, operation: operation, errno: 12, failed: .entries(positions),
            reason: "Cannot allocate memory")
    }

    func contents() throws(StoreError) -> MapContents { try base.contents() }
    func writeSlots(_ writes: SlotWrites) throws(StoreError) {
        guard !refusals.withLock({ $0.slots }) || writes.isEmpty else {
            throw StoreError(map: .slots, operation: .write, errno: 12, reason: "Cannot allocate memory")
        }
        try base.writeSlots(writes)
    }
    func writeBackends(_ writes: [Transaction.BackendWrite]) throws(StoreError) { try base.writeBackends(writes) }
    func writeServices(_ writes: [Transaction.ServiceWrite]) throws(StoreError) { try base.writeServices(writes) }
    func deleteServices(_ ids: [UInt32]) throws(StoreError) { try base.deleteServices(ids) }
    func updateNodePorts(_ keys: [NodePortKey]) throws(StoreError) { try base.updateNodePorts(keys) }
    func deleteNodePorts(_ keys: [NodePortKey]) throws(StoreError) { try base.deleteNodePorts(keys) }
    func updateServiceCIDRs(_ prefixes: [PrefixKey]) throws(StoreError) { try base.updateServiceCIDRs(prefixes) }
    func frontendsWithMovedFlows(_ changing: [FrontendKey: FrontendRecord]) throws(StoreError) -> Set<FrontendKey> {
        try base.frontendsWithMovedFlows(changing)
    }
    func deleteServiceCIDRs(_ prefixes: [PrefixKey]) throws(StoreError) { try base.deleteServiceCIDRs(prefixes) }
    func updateSourceRanges(_ writes: [Transaction.SourceRangeWrite]) throws(StoreError) {
        guard !refusals.withLock({ $0.sourceRanges }) || writes.isEmpty else {
            throw StoreError(map: .sourceRanges, operation: .write, errno: 12, reason: "Cannot allocate memory")
        }
        try base.updateSourceRanges(writes)
    }
    func deleteSourceRanges(_ keys: [SourceRangeKey]) throws(StoreError) { try base.deleteSourceRanges(keys) }
    func forgetAffinity(_ lost: [LostAffinity]) throws(StoreError) { try base.forgetAffinity(lost) }
    func destroyStaleSockets(_ stale: [StaleSockets]) throws(StoreError) {
        guard !refusals.withLock({ $0.sockets }) || stale.isEmpty else {
            throw StoreError(map: .sockets, operation: .destroy, errno: 1, reason: "Operation not permitted")
        }
        try base.destroyStaleSockets(stale)
    }
}
