// A store that fails now and then: a decorator around any other. Some calls fail as a whole, some for a part of their
// entries, always honestly: what is not reported as failed is written.

package import DatapathImage
package import Reconciler
import Synchronization

package final class FaultyDatapathStore: DatapathStore {
    private struct State {
        var random: SplitMix64
        var probability = 0.0
        var failures = 0
    }

    private let base: any DatapathStore
    private let state: Mutex<State>

    package init(_ base: any DatapathStore, seed: UInt64) {
        self.base = base
        state = Mutex(State(random: SplitMix64(seed: seed)))
    }

    /// How likely each call is to fail, 0 to 1.
    package func setProbability(_ probability: Double) {
        state.withLock { $0.probability = probability }
    }

    /// Calls that were made to fail.
    package var failures: Int { state.withLock { $0.failures } }

    package func contents() throws(StoreError) -> MapContents {
        if case .everything? = fault(entries: 1, whole: true) { throw error(.frontends, .read, .everything) }
        return try base.contents()
    }

    package func writeSlots(_ writes: SlotWrites) throws(StoreError) {
        guard !writes.isEmpty, fault(entries: 1, whole: true) != nil else { return try base.writeSlots(writes) }
        throw error(.slots, .write, .everything)
    }

    package func writeBackends(_ writes: [Transaction.BackendWrite]) throws(StoreError) {
        try pass(writes, .backends, .write) { base, part throws(StoreError) in try base.writeBackends(part) }
    }

    package func writeServices(_ writes: [Transaction.ServiceWrite]) throws(StoreError) {
        try pass(writes, .services, .write) { base, part throws(StoreError) in try base.writeServices(part) }
    }

    package func deleteServices(_ ids: [UInt32]) throws(StoreError) {
        try pass(ids, .services, .delete) { base, part throws(StoreError) in try base.deleteServices(part) }
    }

    package func updateFrontends(_ updates: [Transaction.FrontendUpdate]) throws(StoreError) {
        try pass(updates, .frontends, .write) { base, part throws(StoreError) in try base.updateFrontends(part) }
    }

    package func deleteFrontends(_ keys: [FrontendKey]) throws(StoreError) {
        try pass(keys, .frontends, .delete) { base, part throws(StoreError) in try base.deleteFrontends(part) }
    }

    package func updateNodePorts(_ keys: [NodePortKey]) throws(StoreError) {
        try pass(keys, .nodePorts, .write) { base, part throws(StoreError) in try base.updateNodePorts(part) }
    }

    package func deleteNodePorts(_ keys: [NodePortKey]) throws(StoreError) {
        try pass(keys, .nodePorts, .delete) { base, part throws(StoreError) in try base.deleteNodePorts(part) }
    }

    package func updateServiceCIDRs(_ prefixes: [PrefixKey]) throws(StoreError) {
        try pass(prefixes, .serviceCIDRs, .write) { base, part throws(StoreError) in
            try base.updateServiceCIDRs(part)
        }
    }

    package func frontendsWithMovedFlows(
        _ changing: [FrontendKey: FrontendRecord]
    ) throws(StoreError) -> Set<FrontendKey> {
        try base.frontendsWithMovedFlows(changing)
    }

    package func deleteServiceCIDRs(_ prefixes: [PrefixKey]) throws(StoreError) {
        try pass(prefixes, .serviceCIDRs, .delete) { base, part throws(StoreError) in
            try base.deleteServiceCIDRs(part)
        }
    }

    package func updateSourceRanges(_ writes: [Transaction.SourceRangeWrite]) throws(StoreError) {
        try pass(writes, .sourceRanges, .write) { base, part throws(StoreError) in try base.updateSourceRanges(part) }
    }

    package func deleteSourceRanges(_ keys: [SourceRangeKey]) throws(StoreError) {
        try pass(keys, .sourceRanges, .delete) { base, part throws(StoreError) in try base.deleteSourceRanges(part) }
    }

    package func forgetAffinity(_ lost: [LostAffinity]) throws(StoreError) {
        try pass(lost, .affinity, .delete) { base, part throws(StoreError) in try base.forgetAffinity(part) }
    }

    package func destroyStaleSockets(_ stale: [StaleSockets]) throws(StoreError) {
        try pass(stale, .sockets, .destroy) { base, part throws(StoreError) in try base.destroyStaleSockets(part) }
    }

    // MARK: Faults

    /// Hands the entries that do not fail on to the base.
    private func pass<Entry>(
        _ entries: [Entry], _ map: StoreError.Map, _ operation: StoreError.Operation,
        _ call: (any DatapathStore, [Entry]) throws(StoreError) -> Void
    ) throws(StoreError) {
        guard !entries.isEmpty, let fault = fault(entries: entries.count, whole: false) else {
            return try call(base, entries)
        }
        if case .entries(let positions) = fault {
            let failing = Set(positions)
            try call(base, entries.enumerated().filter { !failing.contains($0.offset) }.map(\.element))
        }
        throw error(map, operation, fault)
    }

    private func fault(entries: Int, whole: Bool) -> StoreError.Extent? {
        state.withLock { state in
            guard Double.random(in: 0..<1, using: &state.random) < state.probability else { return nil }
            state.failures += 1
            if whole || Bool.random(using: &state.random) { return .everything }
            var positions = (0..<entries).filter { _ in Bool.random(using: &state.random) }
            if positions.isEmpty { positions = [0] }
            return .entries(positions)
        }
    }

    private func error(
        _ map: StoreError.Map, _ operation: StoreError.Operation, _ extent: StoreError.Extent
    ) -> StoreError {
        StoreError(map: map, operation: operation, errno: 12, failed: extent, reason: "Cannot allocate memory")
    }
}
