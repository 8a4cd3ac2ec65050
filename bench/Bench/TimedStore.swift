// A datapath store that adds up the time spent in another: what the kernel takes of a sync.

import Datapath
import DatapathImage
import Reconciler
import Synchronization

final class TimedStore: DatapathStore {
    private let store: Datapath
    private let spent = Mutex(Duration.zero)

    init(_ store: Datapath) {
        self.store = store
    }

    /// Since the last call.
    func takeTime() -> Duration {
        spent.withLock { spent in
            defer { spent = .zero }
            return spent
        }
    }

    private func timed<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        let began = ContinuousClock.now
        defer { spent.withLock { $0 += ContinuousClock.now - began } }
        return try body()
    }

    func contents() throws(StoreError) -> MapContents {
        try timed { () throws(StoreError) in try store.contents() }
    }

    func writeSlots(_ writes: SlotWrites) throws(StoreError) {
        try timed { () throws(StoreError) in try store.writeSlots(writes) }
    }

    func writeBackends(_ writes: [Transaction.BackendWrite]) throws(StoreError) {
        try timed { () throws(StoreError) in try store.writeBackends(writes) }
    }

    func writeServices(_ writes: [Transaction.ServiceWrite]) throws(StoreError) {
        try timed { () throws(StoreError) in try store.writeServices(writes) }
    }

    func deleteServices(_ ids: [UInt32]) throws(StoreError) {
        try timed { () throws(StoreError) in try store.deleteServices(ids) }
    }

    func updateFrontends(_ updates: [Transaction.FrontendUpdate]) throws(StoreError) {
        try timed { () throws(StoreError) in try store.updateFrontends(updates) }
    }

    func deleteFrontends(_ keys: [FrontendKey]) throws(StoreError) {
        try timed { () throws(StoreError) in try store.deleteFrontends(keys) }
    }

    func updateNodePorts(_ keys: [NodePortKey]) throws(StoreError) {
        try timed { () throws(StoreError) in try store.updateNodePorts(keys) }
    }

    func deleteNodePorts(_ keys: [NodePortKey]) throws(StoreError) {
        try timed { () throws(StoreError) in try store.deleteNodePorts(keys) }
    }

    func updateServiceCIDRs(_ prefixes: [PrefixKey]) throws(StoreError) {
        try timed { () throws(StoreError) in try store.updateServiceCIDRs(prefixes) }
    }

    func frontendsWithMovedFlows(_ changing: [FrontendKey: FrontendRecord]) throws(StoreError) -> Set<FrontendKey> {
        try store.frontendsWithMovedFlows(changing)
    }

    func deleteServiceCIDRs(_ prefixes: [PrefixKey]) throws(StoreError) {
        try timed { () throws(StoreError) in try store.deleteServiceCIDRs(prefixes) }
    }

    func updateSourceRanges(_ writes: [Transaction.SourceRangeWrite]) throws(StoreError) {
        try timed { () throws(StoreError) in try store.updateSourceRanges(writes) }
    }

    func deleteSourceRanges(_ keys: [SourceRangeKey]) throws(StoreError) {
        try timed { () throws(StoreError) in try store.deleteSourceRanges(keys) }
    }

    func forgetAffinity(_ lost: [LostAffinity]) throws(StoreError) {
        try timed { () throws(StoreError) in try store.forgetAffinity(lost) }
    }

    func destroyStaleSockets(_ stale: [StaleSockets]) throws(StoreError) {
        try timed { () throws(StoreError) in try store.destroyStaleSockets(stale) }
    }
}
