// Writing frontends: the record into a fresh place first, then the place into the hash and into the index. The last is the
// one visible write for those that the index holds, which are nearly all; for the others it is that into the hash.

import BPF
import DatapathImage
import Reconciler
import Synchronization

extension Datapath {
    /// Frontends that are written at a time: enough for the kernel's batches, and little memory.
    private static let batch = 2048

    /// What changes gets a new place; what cannot have one now is reported, and has one after the grace period. In the
    /// order of their homes, so that each batch maps a short piece of index and records.
    func placeFrontends(_ updates: [Transaction.FrontendUpdate]) throws(StoreError) {
        let homes = frontendPlaces.withLock { places in updates.map { places.home(of: $0.key) } }
        let order = updates.indices.sorted { homes[$0] < homes[$1] }
        var failed: [Int] = []
        var last: StoreError?
        for start in stride(from: 0, to: order.count, by: Self.batch) {
            let batch = order[start..<min(start + Self.batch, order.count)]
            do throws(StoreError) {
                try placeBatch(batch.map { updates[$0] })
            } catch {
                failed += error.positions(of: batch.count).map { order[start + $0] }
                last = error
            }
        }
        guard var last else { return }
        last.failed = .entries(failed)
        throw last
    }

    private func placeBatch(_ updates: [Transaction.FrontendUpdate]) throws(StoreError) {
        let now = ContinuousClock.now
        var buckets = try openIndex(for: updates.map(\.key))
        // Whoever comes first: there is nothing to choose by.
        let places = frontendPlaces.withLock { places in
            updates.map { places.take(for: $0.key, at: now) }
        }.compactMap { $0 }
        let placed = updates.prefix(places.count)
        var failure: StoreError?
        do throws(StoreError) {
            try writeRecords(placed, in: places)
            try update(maps.frontends.places, .frontends, keys: placed.map(\.key), values: places)
        } catch {
            failure = error
        }
        let failed = failure?.positions(of: places.count) ?? []
        let isFailed = Set(failed)
        frontendPlaces.withLock { owners in
            for (index, (update, place)) in zip(placed, places).enumerated() {
                if isFailed.contains(index) {
                    owners.giveUp(place, at: now)
                } else {
                    owners.settle(update.key, in: place, at: now, &buckets)
                }
            }
        }
        guard failure != nil || places.count < updates.count else { return }
        throw StoreError(
            map: .frontends, operation: .write, errno: failure?.errno ?? 0,
            failed: .entries(failed + Array(places.count..<updates.count)),
            reason: failure?.reason ?? "all \(maps.frontends.capacity - 1) records are in use or in their grace period")
    }

    private func openIndex(for keys: [FrontendKey]) throws(StoreError) -> MappedBuckets {
        do {
            return try maps.frontends.openIndex(for: keys)
        } catch {
            throw StoreError(.frontends, .write, error)
        }
    }

    private func writeRecords(
        _ updates: ArraySlice<Transaction.FrontendUpdate>, in places: [UInt32]
    ) throws(StoreError) {
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
        var failure: StoreError?
        var buckets = try openIndex(for: keys)
        do throws(StoreError) {
            try delete(maps.frontends.places, .frontends, keys: keys)
        } catch {
            failure = error
        }
        let kept = Set(failure?.positions(of: keys.count) ?? [])
        let now = ContinuousClock.now
        frontendPlaces.withLock { places in
            for (index, key) in keys.enumerated() where !kept.contains(index) { places.remove(key, at: now, &buckets) }
        }
        if let failure { throw failure }
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
        var buckets = try maps.frontends.openIndex()
        frontendPlaces.withLock { $0.adopt(found, at: now, &buckets) }
        return records
    }
}
