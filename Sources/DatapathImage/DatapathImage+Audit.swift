// Comparing the whole image with what the kernel holds, and writing again what somebody else changed or removed
// (COEX-4). Space in quarantine may hold anything.

/// What an audit found, map by map.
package struct AuditReport: Hashable, Sendable {
    /// Entries that are missing, different or too many.
    package var frontends = 0
    package var backends = 0
    /// Ranges of the arena: backend sets and choice tables.
    package var slotRanges = 0
    package var services = 0
    package var nodePorts = 0
    package var serviceCIDRs = 0
    package var sourceRanges = 0
    /// What puts it right. A damaged range is written in place: every word of it is as good as the damage, or better.
    package var repair = Transaction()

    package init() {}

    package var differences: Int {
        frontends + backends + slotRanges + services + nodePorts + serviceCIDRs + sourceRanges
    }
}

extension DatapathImage {
    /// Compares everything. Cost: that of reading it all, so not for every second. `pending` are the writes that have not
    /// been performed yet: what they will change is known and left out. What an earlier run left, and nobody has claimed,
    /// is not too much before `removeUnclaimed()`.
    package mutating func audit(_ contents: MapContents, pending: Transaction = Transaction()) -> AuditReport {
        var report = AuditReport()
        let contents = contents.with(pending)
        auditFrontends(contents, &report)
        auditBackends(contents, &report)
        auditSlots(contents, pending, &report)
        auditServices(contents, &report)
        auditSets(contents, &report)
        auditSourceRanges(contents, &report)
        generation += 1
        report.repair.generation = generation
        return report
    }

    /// Whether the frontend, as it should be, can choose one of these backends. False for one that is not in force.
    package func frontend(_ key: FrontendKey, mayChooseAnyOf ids: Set<UInt32>) -> Bool {
        guard let entry = frontends[key] else { return false }
        return entry.references.contains { space.sets.ids(of: $0.set).contains(where: ids.contains) }
    }

    private func auditFrontends(_ contents: MapContents, _ report: inout AuditReport) {
        for (key, entry) in frontends.entries where contents.frontends[key] != entry.record {
            report.repair.frontends.append(
                .init(key: key, record: entry.record, previous: contents.frontends[key]))
        }
        for (key, record) in contents.frontends where frontends[key] == nil && frontends.contradictory[key] == nil {
            report.repair.removedFrontends.append(.init(key: key, previous: record))
        }
        report.repair.frontends.sort { $0.key < $1.key }
        report.repair.removedFrontends.sort { $0.key < $1.key }
        report.frontends = report.repair.frontends.count + report.repair.removedFrontends.count
    }

    private func auditBackends(_ contents: MapContents, _ report: inout AuditReport) {
        let wanted = space.backends.occupiedIDs
        for id in wanted {
            guard let record = space.backends.record(of: id) else { continue }
            let found = Int(id) < contents.backends.count ? contents.backends[Int(id)] : .free
            if found != record { report.repair.backends.append(.init(id: id, record: record)) }
        }
        for (index, record) in contents.backends.enumerated() where !record.isFree {
            if !space.backends.isUsed(UInt32(index)) {
                report.repair.backends.append(.init(id: UInt32(index), record: .free))
            }
        }
        report.repair.backends.sort { $0.id < $1.id }
        report.backends = report.repair.backends.count
    }

    /// Words at the end that no frontend in the map refers to were not read. Those of a frontend that waits to be written
    /// need not be damaged for that.
    private func auditSlots(_ contents: MapContents, _ pending: Transaction, _ report: inout AuditReport) {
        let read = contents.slots.count
        let awaited = Set(pending.frontends.flatMap(\.record.slotRanges).filter { $0.upperBound > read })
        let unwritten = WordRanges(pending.slots)
        var writes: [(word: UInt32, words: [UInt64])] = []
        func isKnown(_ place: Range<Int>) -> Bool { awaited.contains(place) || unwritten.overlap(place) }
        space.sets.forEach { range, ids in
            let words = SlotPacking.words(ofSet: ids)
            let place = Int(range.lowerBound)..<Int(range.upperBound)
            let isWhole = place.upperBound <= contents.slots.count && contents.slots[place] == words[...]
            if !isWhole, !isKnown(place) { writes.append((range.lowerBound, words)) }
        }
        // A table of an earlier run that no plan has asked for cannot be filled again; its frontend is not claimed
        // either.
        for (range, words) in space.tables.damaged(in: contents.slots) {
            let place = Int(range.lowerBound)..<Int(range.upperBound)
            if let words, !isKnown(place) { writes.append((range.lowerBound, words)) }
        }
        report.slotRanges = writes.count
        for (word, words) in writes.sorted(by: { $0.word < $1.word }) { report.repair.slots.append(words, at: word) }
    }

    private func auditServices(_ contents: MapContents, _ report: inout AuditReport) {
        for (id, name) in services.namedIDs {
            let record = ServiceRecord(name)
            if contents.services[id] != record { report.repair.services.append(.init(id: id, record: record)) }
        }
        report.repair.removedServices = contents.services.keys.filter { !services.isUsed($0) }.sorted()
        report.services = report.repair.services.count + report.repair.removedServices.count
    }

    private func auditSets(_ contents: MapContents, _ report: inout AuditReport) {
        let nodePorts = frontends.programmedNodePorts
        report.repair.nodePorts = nodePorts.subtracting(contents.nodePorts).sorted(by: <)
        let prefixes = serviceCIDRs.programmed
        report.repair.serviceCIDRs = prefixes.subtracting(contents.serviceCIDRs).sorted(by: <)
        report.repair.removedNodePorts = contents.nodePorts.subtracting(nodePorts).sorted(by: <)
        report.repair.removedServiceCIDRs = contents.serviceCIDRs.subtracting(prefixes).sorted(by: <)
        report.nodePorts = report.repair.nodePorts.count + report.repair.removedNodePorts.count
        report.serviceCIDRs = report.repair.serviceCIDRs.count + report.repair.removedServiceCIDRs.count
    }

    private func auditSourceRanges(_ contents: MapContents, _ report: inout AuditReport) {
        let wanted = sourceRanges.entries
        report.repair.sourceRanges = wanted.filter { contents.sourceRanges[$0.key] != $0.value }
            .map { Transaction.SourceRangeWrite(key: $0.key, admission: $0.value) }
            .sorted { SourceRangeKey.narrowerFirst($0.key, $1.key) }
        report.repair.removedSourceRanges = contents.sourceRanges.keys.filter { wanted[$0] == nil }
            .sorted(by: SourceRangeKey.widerFirst)
        report.sourceRanges = report.repair.sourceRanges.count + report.repair.removedSourceRanges.count
    }
}

extension MapContents {
    /// As if the transaction had been performed, words of the arena left aside.
    fileprivate func with(_ transaction: Transaction) -> MapContents {
        guard !transaction.isEmpty else { return self }
        var contents = self
        for update in transaction.frontends { contents.frontends[update.key] = update.record }
        for removal in transaction.removedFrontends { contents.frontends[removal.key] = nil }
        for write in transaction.backends {
            let missing = Int(write.id) + 1 - contents.backends.count
            if missing > 0 { contents.backends += Array(repeating: .free, count: missing) }
            contents.backends[Int(write.id)] = write.record
        }
        for write in transaction.services { contents.services[write.id] = write.record }
        for id in transaction.removedServices { contents.services[id] = nil }
        contents.nodePorts = contents.nodePorts.union(transaction.nodePorts).subtracting(transaction.removedNodePorts)
        contents.serviceCIDRs = contents.serviceCIDRs.union(transaction.serviceCIDRs)
            .subtracting(transaction.removedServiceCIDRs)
        for write in transaction.sourceRanges { contents.sourceRanges[write.key] = write.admission }
        for key in transaction.removedSourceRanges { contents.sourceRanges[key] = nil }
        return contents
    }
}
