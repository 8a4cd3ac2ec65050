// The maps in memory, with the contract of DatapathStore, and a watchful eye: at every write it checks that no packet
// could see half a change. What it found is in `violations`, which a test expects to be empty.

import CDatapathABI
package import DatapathImage
import NetworkTypes
package import Reconciler
import Synchronization

package final class FakeDatapathStore: DatapathStore {
    private struct State {
        var maps = MapContents()
        var visible = VisibleSpace()
        var violations: [String] = []
        var forgotten: [LostAffinity] = []
        var destroyed: [StaleSockets] = []
        var log: [String] = []
        var movedFlows: Set<FrontendKey> = []
    }

    /// The frontends that are said to have flows which must be tracked on.
    package var movedFlows: Set<FrontendKey> {
        get { state.withLock { $0.movedFlows } }
        set { state.withLock { $0.movedFlows = newValue } }
    }

    private let limits: ImageLimits
    private let state: Mutex<State>

    /// Empty maps. Space keeps being watched for `grace` after the last frontend has let go of it.
    package init(limits: ImageLimits = ImageLimits(), grace: Duration = .zero) {
        self.limits = limits
        var state = State()
        state.visible.grace = grace
        self.state = Mutex(state)
    }

    // MARK: For tests

    /// What a packet could have seen that it should not have.
    package var violations: [String] { state.withLock { $0.violations } }
    package var forgottenAffinity: [LostAffinity] { state.withLock { $0.forgotten } }
    package var destroyedSockets: [StaleSockets] { state.withLock { $0.destroyed } }

    /// The calls since the last time that somebody asked, as "operation map count".
    package func takeLog() -> [String] {
        state.withLock { state in
            let log = state.log
            state.log = []
            return log
        }
    }

    /// The time that counts for grace periods.
    package func advance(to now: ContinuousClock.Instant) {
        state.withLock { $0.visible.now = now }
    }

    /// Changes the maps behind everybody's back. What is changed may be repaired in place.
    package func tamper(_ body: (inout MapContents) -> Void) {
        state.withLock { state in
            let before = state.maps
            body(&state.maps)
            for (key, record) in before.frontends where state.maps.frontends[key] != record {
                state.visible.hide(record, at: key)
            }
            state.visible.excuse(before, state.maps)
            for (key, record) in state.maps.frontends where before.frontends[key] != record {
                state.visible.show(record, at: key, in: state.maps)
            }
        }
    }

    // MARK: Reading

    package func contents() throws(StoreError) -> MapContents {
        state.withLock { state in
            var maps = state.maps
            let used = min(MapContents.slotWordsInUse(by: maps.frontends), maps.slots.count)
            maps.slots = Array(maps.slots.prefix(used))
            while maps.backends.last?.isFree == true { maps.backends.removeLast() }
            return maps
        }
    }

    // MARK: Space

    package func writeSlots(_ writes: SlotWrites) throws(StoreError) {
        try change("write slots \(writes.words.count)", writes.isEmpty) { state throws(StoreError) in
            writes.forEach { start, words in
                for (offset, value) in words.enumerated() {
                    let word = Int(start) + offset
                    guard word < limits.slotWords else {
                        state.violations.append("slots: word \(word) is outside of the arena")
                        return
                    }
                    while state.maps.slots.count <= word { state.maps.slots.append(0) }
                    if state.maps.slots[word] != value, state.visible.isWatched(word: word) {
                        state.violations.append("slots: word \(word) was overwritten while it was in use")
                    }
                    state.maps.slots[word] = value
                    state.visible.repaired(word: word)
                }
            }
        }
    }

    package func writeBackends(_ writes: [Transaction.BackendWrite]) throws(StoreError) {
        try change("write backends \(writes.count)", writes.isEmpty) { state throws(StoreError) in
            for write in writes {
                let index = Int(write.id)
                guard index > 0, index < limits.backends else {
                    state.violations.append("backends: there is no element \(index)")
                    continue
                }
                while state.maps.backends.count <= index { state.maps.backends.append(.free) }
                let old = state.maps.backends[index]
                let isSame = old.address == write.record.address && old.fields.protocol == write.record.fields.protocol
                if !isSame, state.visible.isWatched(backend: write.id) {
                    state.violations.append("backends: \(old.address) was overwritten while it was in use")
                }
                state.maps.backends[index] = write.record
                state.visible.repaired(backend: write.id)
            }
        }
    }

    package func writeServices(_ writes: [Transaction.ServiceWrite]) throws(StoreError) {
        try change("write services \(writes.count)", writes.isEmpty) { state throws(StoreError) in
            for write in writes { state.maps.services[write.id] = write.record }
            if state.maps.services.count >= limits.services { state.violations.append("services: too many") }
        }
    }

    package func deleteServices(_ ids: [UInt32]) throws(StoreError) {
        try change("delete services \(ids.count)", ids.isEmpty) { state throws(StoreError) in
            for id in ids {
                state.maps.services[id] = nil
                if state.maps.frontends.values.contains(where: { $0.serviceID == id }) {
                    state.violations.append("services: \(id) was removed while a frontend had it")
                }
            }
        }
    }

    // MARK: Frontends

    package func updateFrontends(_ updates: [Transaction.FrontendUpdate]) throws(StoreError) {
        try change("write frontends \(updates.count)", updates.isEmpty) { state throws(StoreError) in
            for update in updates {
                let old = state.maps.frontends.updateValue(update.record, forKey: update.key)
                if let old { state.visible.hide(old, at: update.key) }
                state.visible.show(update.record, at: update.key, in: state.maps)
                state.violations += Self.problems(of: update, in: state.maps, limits)
            }
            if state.maps.frontends.count > limits.frontends { state.violations.append("frontends: too many") }
        }
    }

    package func deleteFrontends(_ keys: [FrontendKey]) throws(StoreError) {
        try change("delete frontends \(keys.count)", keys.isEmpty) { state throws(StoreError) in
            for key in keys {
                if let old = state.maps.frontends.removeValue(forKey: key) { state.visible.hide(old, at: key) }
            }
        }
    }

    /// Everything that a frontend refers to must be there already.
    private static func problems(
        of update: Transaction.FrontendUpdate, in maps: MapContents, _ limits: ImageLimits
    ) -> [String] {
        var problems: [String] = []
        for choice in [update.record.fields.internal, update.record.fields.external] {
            guard max(choice.setRange.endIfAny, choice.tableRange.endIfAny) <= maps.slots.count else {
                problems.append("frontend \(update.key) refers to slots that were never written")
                continue
            }
            let members = VisibleSpace.members(of: choice, in: maps)
            let backends = members.map { Int($0) < maps.backends.count ? maps.backends[Int($0)] : .free }
            if backends.contains(where: \.isFree) {
                problems.append("frontend \(update.key) refers to a backend that was never written")
            }
            let family = update.key.address.family
            if update.record.hasSourceRanges, !maps.hasSourceRanges(of: update.record.serviceID, family) {
                problems.append("frontend \(update.key) asks for source ranges that were never written")
            }
            if backends.contains(where: {
                $0.fields.protocol != update.key.protocolNumber || $0.address.address.family != family
            }) {
                problems.append("frontend \(update.key) refers to a backend of another protocol or family")
            }
            let positions = VisibleSpace.positions(of: choice, in: maps)
            if positions.contains(where: { $0 >= choice.set_count }) {
                problems.append("frontend \(update.key) has a table with positions outside of its set")
            }
        }
        return problems
    }

    // MARK: The rest

    package func updateNodePorts(_ keys: [NodePortKey]) throws(StoreError) {
        try change("write node_ports \(keys.count)", keys.isEmpty) { state throws(StoreError) in
            state.maps.nodePorts.formUnion(keys)
            if state.maps.nodePorts.count > limits.nodePorts { state.violations.append("node_ports: too many") }
        }
    }

    package func deleteNodePorts(_ keys: [NodePortKey]) throws(StoreError) {
        try change("delete node_ports \(keys.count)", keys.isEmpty) { state throws(StoreError) in
            state.maps.nodePorts.subtract(keys)
        }
    }

    package func updateServiceCIDRs(_ prefixes: [PrefixKey]) throws(StoreError) {
        try change("write service_cidrs \(prefixes.count)", prefixes.isEmpty) { state throws(StoreError) in
            state.maps.serviceCIDRs.formUnion(prefixes)
            if state.maps.serviceCIDRs.count > limits.serviceCIDRs {
                state.violations.append("service_cidrs: too many")
            }
        }
    }

    /// There are no packets here, and no flows.
    package func frontendsWithMovedFlows(
        _ changing: [FrontendKey: FrontendRecord]
    ) throws(StoreError) -> Set<FrontendKey> { movedFlows }

    package func deleteServiceCIDRs(_ prefixes: [PrefixKey]) throws(StoreError) {
        try change("delete service_cidrs \(prefixes.count)", prefixes.isEmpty) { state throws(StoreError) in
            state.maps.serviceCIDRs.subtract(prefixes)
        }
    }

    package func updateSourceRanges(_ writes: [Transaction.SourceRangeWrite]) throws(StoreError) {
        try change("write source_ranges \(writes.count)", writes.isEmpty) { state throws(StoreError) in
            for write in writes { state.maps.sourceRanges[write.key] = write.admission }
            if state.maps.sourceRanges.count > limits.sourceRanges {
                state.violations.append("source_ranges: too many")
            }
        }
    }

    package func deleteSourceRanges(_ keys: [SourceRangeKey]) throws(StoreError) {
        try change("delete source_ranges \(keys.count)", keys.isEmpty) { state throws(StoreError) in
            for key in keys { state.maps.sourceRanges[key] = nil }
            for (key, record) in state.maps.frontends where record.hasSourceRanges {
                guard !state.maps.hasSourceRanges(of: record.serviceID, key.address.family) else { continue }
                state.violations.append("source_ranges: those of frontend \(key) were removed")
            }
        }
    }

    package func forgetAffinity(_ lost: [LostAffinity]) throws(StoreError) {
        try change("delete affinity \(lost.count)", lost.isEmpty) { state throws(StoreError) in
            state.forgotten += lost
        }
    }

    package func destroyStaleSockets(_ stale: [StaleSockets]) throws(StoreError) {
        try change("destroy sockets \(stale.count)", stale.isEmpty) { state throws(StoreError) in
            state.destroyed += stale
        }
    }

    private func change(
        _ call: String, _ isEmpty: Bool, _ body: (inout State) throws(StoreError) -> Void
    ) throws(StoreError) {
        guard !isEmpty else { return }
        try state.withLock { state throws(StoreError) in
            state.log.append(call)
            try body(&state)
        }
    }
}

extension MapContents {
    fileprivate func hasSourceRanges(of id: UInt32, _ family: AddressFamily) -> Bool {
        sourceRanges.keys.contains { $0.serviceID == id && $0.family == family }
    }
}

extension Range<Int> {
    /// The end of the range; zero for an empty one, wherever it is.
    fileprivate var endIfAny: Int { isEmpty ? 0 : upperBound }
}
