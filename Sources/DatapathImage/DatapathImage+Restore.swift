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
        for (id, record) in contents.services.sorted(by: { $0.key < $1.key }) { services.restore(id, record: record) }
        restoreBackends(contents)
        let restored = RestoredSpace(contents, slotWords: limits.slotWords)
        for id in restored.namedBackends where space.reserveBackend(id) { unclaimed.backendIDs.append(id) }
        space.restoreArena(occupied: restored.occupied)
        restoreFrontends(contents, restored)
        frontends.restore(nodePorts: contents.nodePorts)
        serviceCIDRs.restore(contents.serviceCIDRs)
    }

    private mutating func restoreBackends(_ contents: MapContents) {
        for (index, record) in contents.backends.enumerated().dropFirst() where !record.isFree {
            let id = UInt32(index)
            if !space.restoreBackend(id, record: record), space.backends.isUsed(id) {
                unclaimed.backendIDs.append(id)
            }
        }
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
                let outside = Self.reference(record.fields.external, sets, tables)
            else {
                frontends.restore(contradictory: record, at: key)
                continue
            }
            space.retain(inside)
            space.retain(outside)
            frontends.restore(
                FrontendTable.Entry(record: record, owner: 0, internal: inside, external: outside), at: key)
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
