// The kernel behind the Reconciler's store protocol. Hash maps are written in batches, arrays as memory. An error of a
// batch is narrowed down to the entries that caused it, so that one bad entry never costs the others.

import BPF
import CDatapathABI
package import DatapathImage
package import Reconciler

extension Datapath: DatapathStore {
    package func contents() throws(StoreError) -> MapContents {
        var contents = MapContents()
        do {
            contents.frontends = try readFrontends()
        } catch {
            throw StoreError(.frontends, .read, error)
        }
        do {
            try maps.services.forEach { (id, record) throws(BPFError) in contents.services[id] = record }
            for (key, _) in try maps.nodePorts.entries() { contents.nodePorts.insert(key) }
            for (key, _) in try maps.serviceCIDRs.entries() { contents.serviceCIDRs.insert(key) }
        } catch {
            throw StoreError(.services, .read, error)
        }
        do {
            try maps.sourceRanges.forEach { (key, admission) throws(BPFError) in
                contents.sourceRanges[key] = SourceAdmission(rawValue: admission)
            }
        } catch {
            throw StoreError(.sourceRanges, .read, error)
        }
        do {
            contents.backends = try MappedArray<BackendRecord>(maps.backends, access: .readOnly)
                .read(0..<capacity.backends)
        } catch {
            throw StoreError(.backends, .read, error)
        }
        while contents.backends.last == .free { contents.backends.removeLast() }
        let words = min(MapContents.slotWordsInUse(by: contents.frontends), capacity.slots)
        guard words > 0 else { return contents }
        do {
            contents.slots = try MappedArray<UInt64>(maps.slots, window: 0..<words, access: .readOnly).read(0..<words)
        } catch {
            throw StoreError(.slots, .read, error)
        }
        return contents
    }

    // Arrays are mapped for as long as a write takes, and only where it writes: 3 us, and no memory of the agent's.

    package func writeSlots(_ writes: SlotWrites) throws(StoreError) {
        guard let extent = writes.extent else { return }
        guard extent.upperBound <= capacity.slots else {
            throw StoreError(
                map: .slots, operation: .write, errno: 0, reason: "word \(extent.upperBound - 1) is beyond the arena")
        }
        do {
            var slots = try MappedArray<UInt64>(maps.slots, window: extent)
            writes.forEach { word, words in slots.writeAll(from: Int(word), Array(words)) }
        } catch {
            throw StoreError(.slots, .write, error)
        }
    }

    package func writeBackends(_ writes: [Transaction.BackendWrite]) throws(StoreError) {
        let outside = writes.indices.filter { writes[$0].id >= capacity.backends }
        let inside = writes.filter { $0.id < capacity.backends }
        let ids = inside.map { Int($0.id) }
        do {
            if let first = ids.min(), let last = ids.max() {
                var backends = try MappedArray<BackendRecord>(maps.backends, window: first..<last + 1)
                for write in inside { backends.write(Int(write.id), write.record) }
                try forgetWays(to: ids, within: first..<last + 1)
            }
        } catch {
            throw StoreError(.backends, .write, error)
        }
        guard outside.isEmpty else {
            throw StoreError(
                map: .backends, operation: .write, errno: 0, failed: .entries(outside),
                reason: "the id is beyond the map's \(capacity.backends) elements")
        }
    }

    /// What XDP remembers of a backend's way contains the backend (dp_next_hop).
    private func forgetWays(to ids: [Int], within window: Range<Int>) throws(BPFError) {
        var hops = try MappedArray<dp_next_hop>(maps.nextHops, window: window)
        for id in ids { hops.writeFirstWord(of: id, 0) }
    }

    package func writeServices(_ writes: [Transaction.ServiceWrite]) throws(StoreError) {
        try update(maps.services, .services, keys: writes.map(\.id), values: writes.map(\.record))
    }

    package func updateSourceRanges(_ writes: [Transaction.SourceRangeWrite]) throws(StoreError) {
        try update(maps.sourceRanges, .sourceRanges, keys: writes.map(\.key), values: writes.map(\.admission.rawValue))
    }

    package func deleteSourceRanges(_ keys: [SourceRangeKey]) throws(StoreError) {
        try delete(maps.sourceRanges, .sourceRanges, keys: keys)
    }

    package func deleteServices(_ ids: [UInt32]) throws(StoreError) {
        do {
            try maps.clearCounters(ofServices: ids)
        } catch {
            throw StoreError(.services, .delete, error)
        }
        try delete(maps.services, .services, keys: ids)
    }

    package func updateFrontends(_ updates: [Transaction.FrontendUpdate]) throws(StoreError) {
        try placeFrontends(updates)
    }

    package func deleteFrontends(_ keys: [FrontendKey]) throws(StoreError) {
        try removeFrontends(keys)
    }

    package func updateNodePorts(_ keys: [NodePortKey]) throws(StoreError) {
        try update(maps.nodePorts, .nodePorts, keys: keys, values: keys.map { _ in 1 })
    }

    package func deleteNodePorts(_ keys: [NodePortKey]) throws(StoreError) {
        try delete(maps.nodePorts, .nodePorts, keys: keys)
    }

    package func updateServiceCIDRs(_ prefixes: [PrefixKey]) throws(StoreError) {
        try update(maps.serviceCIDRs, .serviceCIDRs, keys: prefixes, values: prefixes.map { _ in 1 })
    }

    package func deleteServiceCIDRs(_ prefixes: [PrefixKey]) throws(StoreError) {
        try delete(maps.serviceCIDRs, .serviceCIDRs, keys: prefixes)
    }

    func update<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        _ map: borrowing BPFMap<Key, Value>, _ name: StoreError.Map, keys: [Key], values: [Value]
    ) throws(StoreError) {
        do {
            try map.update(keys: keys, values: values)
        } catch {
            try each(keys.indices, name, .write) { (index) throws(BPFError) in
                try map.update(keys[index], values[index])
            }
        }
    }

    func delete<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        _ map: borrowing BPFMap<Key, Value>, _ name: StoreError.Map, keys: [Key]
    ) throws(StoreError) {
        guard !keys.isEmpty else { return }
        do {
            try map.delete(keys: keys)
        } catch {
            try each(keys.indices, name, .delete) { (index) throws(BPFError) in _ = try map.delete(keys[index]) }
        }
    }

    /// Repeats a failed batch one by one, and reports those that fail again.
    private func each(
        _ indices: Range<Int>, _ name: StoreError.Map, _ operation: StoreError.Operation,
        _ body: (Int) throws(BPFError) -> Void
    ) throws(StoreError) {
        var failed: [Int] = []
        var last: BPFError?
        for index in indices {
            do {
                try body(index)
            } catch {
                failed.append(index)
                last = error
            }
        }
        guard let last else { return }
        throw StoreError(
            map: name, operation: operation, errno: last.errno, failed: .entries(failed), reason: last.description)
    }
}

extension StoreError {
    init(_ map: Map, _ operation: Operation, _ error: BPFError) {
        self.init(map: map, operation: operation, errno: error.errno, reason: error.description)
    }
}
