// Taking over the maps of an earlier run: the same names keep their ids, the same backends their elements, the same
// lists their space, so that applying the same plans writes nothing. What contradicts itself is not trusted: its space
// is kept from reuse, and its frontend is written anew or removed.

import CDatapathABI

extension DatapathImage {
    /// An image that knows what the maps hold. Everything found stays in force until a plan replaces it or
    /// `removeUnclaimed()` is called.
    package init(restoring contents: MapContents, limits: ImageLimits) {
        self.init(limits: limits)
        holdsUnclaimed = true
        let restored = RestoredSpace(contents, slotWords: limits.slotWords)
        restoreServices(contents)
        restoreBackends(contents, restored.namedBackends)
        space.restoreArena(occupied: restored.occupied)
        restoreFrontends(contents, restored)
        frontends.restore(nodePorts: contents.nodePorts)
        serviceCIDRs.restore(contents.serviceCIDRs)
        sourceRanges.restore(contents.sourceRanges)
    }

    /// A name, or a backend, may be there twice: when it went and came back shortly before the restart, the first one was
    /// still in its grace period. The one that frontends use counts.
    private mutating func restoreServices(_ contents: MapContents) {
        let inUse = Set(contents.frontends.values.map(\.serviceID))
        let ids = contents.services.keys.sorted()
        for id in ids.filter(inUse.contains) + ids.filter({ !inUse.contains($0) }) {
            if let record = contents.services[id] { services.restore(id, record: record) }
        }
    }

    private mutating func restoreBackends(_ contents: MapContents, _ inUse: Set<UInt32>) {
        let ids = (0..<UInt32(contents.backends.count)).filter { $0 > 0 && !contents.backends[Int($0)].isFree }
        for id in ids.filter(inUse.contains) + ids.filter({ !inUse.contains($0) }) {
            if !space.restoreBackend(id, record: contents.backends[Int(id)]), space.backends.isUsed(id) {
                unclaimed.backendIDs.append(id)
            }
        }
        // Named by a set, although free: not to be given to somebody else while the set can be seen.
        for id in inUse where space.reserveBackend(id) { unclaimed.backendIDs.append(id) }
    }

    private mutating func restoreFrontends(_ contents: MapContents, _ restored: RestoredSpace) {
        var sets: [RestoredSpace.Region: BackendSetTable.Handle] = [:]
        var tables: [RestoredSpace.Region: ChoiceTableStore.Handle] = [:]
        for region in restored.regions.sorted(by: { $0.range.lowerBound < $1.range.lowerBound }) {
            let start = UInt32(region.range.lowerBound)
            let words = contents.slots[region.range]
            switch region.kind {
            case .set(let count):
                let ids = SlotPacking.ids(ofSet: words, count: Int(count))
                guard ids.allSatisfy({ space.backends.record(of: $0) != nil }) else { continue }
                sets[region] = space.restoreSet(ids, at: start)
            case .table(let slots, let width):
                tables[region] = space.restoreTable(at: start, slots: slots, width: width, words: words)
            }
        }
        for (key, record) in contents.frontends {
            services.reserve(record.fields.service_id)
            guard restored.trusts(record),
                let inside = Self.reference(record.fields.internal, sets, tables),
                let outside = Self.reference(record.fields.external, sets, tables),
                let previous = Self.reference(record.fields.previous, sets, tables)
            else {
                frontends.restore(contradictory: record, at: key)
                continue
            }
            let entry = FrontendTable.Entry(
                record: record, owner: 0, internal: inside, external: outside, previous: previous)
            retain(entry)
            if previous.table != ChoiceTableStore.none {
                space.noteMarked(contents.slots[record.fields.previous.tableRange], of: previous)
            }
            frontends.restore(entry, at: key)
        }
        keepUnreadable(restored, Array(sets.keys) + Array(tables.keys))
    }

    /// Nil if the record refers to something that could not be restored.
    private static func reference(
        _ choice: dp_choice, _ sets: [RestoredSpace.Region: BackendSetTable.Handle],
        _ tables: [RestoredSpace.Region: ChoiceTableStore.Handle]
    ) -> BackendSpace.Reference? {
        var reference = BackendSpace.Reference()
        if let region = RestoredSpace.setRegion(of: choice) {
            guard let set = sets[region] else { return nil }
            reference.set = set
        }
        if let region = RestoredSpace.tableRegion(of: choice) {
            guard let table = tables[region] else { return nil }
            reference.table = table
        }
        return reference
    }

    /// Occupied space that is no restored set or table waits until nothing refers to it.
    private mutating func keepUnreadable(_ restored: RestoredSpace, _ known: [RestoredSpace.Region]) {
        let known = known.map(\.range).sorted { $0.lowerBound < $1.lowerBound }
        var next = known.startIndex
        for range in restored.occupied {
            var start = range.lowerBound
            while next < known.endIndex, known[next].upperBound <= Int(range.upperBound) {
                let from = UInt32(known[next].lowerBound)
                if start < from { unclaimed.slotRanges.append(start..<from) }
                start = UInt32(known[next].upperBound)
                next += 1
            }
            if start < range.upperBound { unclaimed.slotRanges.append(start..<range.upperBound) }
        }
    }
}
