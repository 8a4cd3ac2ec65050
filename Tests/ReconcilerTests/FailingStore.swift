// A store that refuses certain frontends until further notice, and passes everything else on.

import DatapathImage
import DatapathTestSupport
import Reconciler
import Synchronization

final class FailingStore: DatapathStore {
    private let base: FakeDatapathStore
    private let refused = Mutex<Set<FrontendKey>>([])

    init(_ base: FakeDatapathStore) { self.base = base }

    func refuse(_ keys: Set<FrontendKey>) { refused.withLock { $0 = keys } }

    func updateFrontends(_ updates: [Transaction.FrontendUpdate]) throws(StoreError) {
        let refused = refused.withLock { $0 }
        try base.updateFrontends(updates.filter { !refused.contains($0.key) })
        try report(updates.indices.filter { refused.contains(updates[$0].key) }, .write)
    }

    func deleteFrontends(_ keys: [FrontendKey]) throws(StoreError) {
        let refused = refused.withLock { $0 }
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
    func writeSlots(_ writes: SlotWrites) throws(StoreError) { try base.writeSlots(writes) }
    func writeBackends(_ writes: [Transaction.BackendWrite]) throws(StoreError) { try base.writeBackends(writes) }
    func writeServices(_ writes: [Transaction.ServiceWrite]) throws(StoreError) { try base.writeServices(writes) }
    func deleteServices(_ ids: [UInt32]) throws(StoreError) { try base.deleteServices(ids) }
    func updateNodePorts(_ keys: [NodePortKey]) throws(StoreError) { try base.updateNodePorts(keys) }
    func deleteNodePorts(_ keys: [NodePortKey]) throws(StoreError) { try base.deleteNodePorts(keys) }
    func updateServiceCIDRs(_ prefixes: [PrefixKey]) throws(StoreError) { try base.updateServiceCIDRs(prefixes) }
    func deleteServiceCIDRs(_ prefixes: [PrefixKey]) throws(StoreError) { try base.deleteServiceCIDRs(prefixes) }
    func forgetAffinity(_ lost: [LostAffinity]) throws(StoreError) { try base.forgetAffinity(lost) }
    func destroyStaleSockets(_ stale: [StaleSockets]) throws(StoreError) { try base.destroyStaleSockets(stale) }
}
