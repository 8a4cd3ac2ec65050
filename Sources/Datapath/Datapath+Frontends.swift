// Writing frontends: the record into a fresh place first, then the one visible write, that of the place into the hash.

import BPF
import DatapathImage
import Reconciler
import Synchronization

extension Datapath {
    /// What changes gets a new place; what cannot have one now is reported, and has one after the grace period.
    func placeFrontends(_ updates: [Transaction.FrontendUpdate]) throws(StoreError) {
        guard !updates.isEmpty else { return }
        let now = ContinuousClock.now
        let places = frontendPlaces.withLock { places in updates.map { _ in places.take(at: now) } }
        let placed = places.indices.filter { places[$0] != nil }
        let keys = placed.map { updates[$0].key }
        let taken = placed.compactMap { places[$0] }
        var failed: Set<Int> = []
        var failure: StoreError?
        do throws(StoreError) {
            try writeRecords(placed.map { updates[$0] }, in: taken)
            try update(maps.frontends.places, .frontends, keys: keys, values: taken)
        } catch {
            failure = error
            failed =
                switch error.failed {
                case .entries(let entries): Set(entries)
                case .everything: Set(placed.indices)
                }
        }
        frontendPlaces.withLock { places in
            for (index, key) in keys.enumerated() {
                if failed.contains(index) {
                    places.giveUp(taken[index], at: now)
                } else {
                    places.settle(key, in: taken[index], at: now)
                }
            }
        }
        let unplaced = places.indices.filter { places[$0] == nil }
        guard failure != nil || !unplaced.isEmpty else { return }
        throw StoreError(
            map: .frontends, operation: .write, errno: failure?.errno ?? 0,
            failed: .entries((failed.map { placed[$0] } + unplaced).sorted()),
            reason: failure?.reason
                ?? "all \(maps.frontends.capacity - 1) records are in use or in their grace period")
    }

    private func writeRecords(_ updates: [Transaction.FrontendUpdate], in places: [UInt32]) throws(StoreError) {
        guard let first = places.min(), let last = places.max() else { return }
        do {
            var records = try MappedArray<PlacedFrontend>(maps.frontends.records, window: Int(first)..<Int(last) + 1)
            for (update, place) in zip(updates, places) {
                records.write(Int(place), PlacedFrontend(update.key, update.record))
            }
        } catch {
            throw StoreError(.frontends, .write, error)
        }
    }

    func removeFrontends(_ keys: [FrontendKey]) throws(StoreError) {
        var failed: Set<Int> = []
        defer {
            let now = ContinuousClock.now
            frontendPlaces.withLock { places in
                for (index, key) in keys.enumerated() where !failed.contains(index) { places.remove(key, at: now) }
            }
        }
        do throws(StoreError) {
            try delete(maps.frontends.places, .frontends, keys: keys)
        } catch {
            failed =
                switch error.failed {
                case .entries(let entries): Set(entries)
                case .everything: Set(keys.indices)
                }
            throw error
        }
    }

    /// Every frontend that the kernel has; learns which places they have.
    func readFrontends() throws(BPFError) -> [FrontendKey: FrontendRecord] {
        var records: [FrontendKey: FrontendRecord] = [:]
        var found: [FrontendKey: UInt32] = [:]
        try maps.frontends.forEach { (key, place, record) throws(BPFError) in
            records[key] = record
            found[key] = place
        }
        let now = ContinuousClock.now
        frontendPlaces.withLock { $0.adopt(found, at: now) }
        return records
    }
}
