// Two transactions as one: what could not be written of an earlier one, and a later one on top of it.

extension Transaction {
    /// What has to be written to get past both. Of two writes to one place the later counts; what is visible until then
    /// is what the earlier one found. Quarantined space is not merged: it is named by the generations.
    package func followed(by later: Transaction) -> Transaction {
        if isEmpty { return later }
        if later.isEmpty { return self }
        var merged = later
        merged.slots = slots
        merged.slots.append(contentsOf: later.slots)
        // A change after the other may fail: what is kept of them must not grow beyond the arena.
        merged.slots.dropOverwritten()
        merged.backends = Self.latest(backends + later.backends, by: \.id).sorted { $0.id < $1.id }
        mergeFrontends(with: later, into: &merged)
        let goneServices = Set(later.removedServices)
        let newServices = Set(later.services.map(\.id))
        merged.services = Self.latest(services.filter { !goneServices.contains($0.id) } + later.services, by: \.id)
            .sorted { $0.id < $1.id }
        merged.removedServices =
            Set(removedServices.filter { !newServices.contains($0) }).union(goneServices).sorted()
        (merged.nodePorts, merged.removedNodePorts) = Self.merge(
            (nodePorts, removedNodePorts), (later.nodePorts, later.removedNodePorts), by: <)
        (merged.serviceCIDRs, merged.removedServiceCIDRs) = Self.merge(
            (serviceCIDRs, removedServiceCIDRs), (later.serviceCIDRs, later.removedServiceCIDRs), by: <)
        mergeSourceRanges(with: later, into: &merged)
        mergeConsequences(with: later, into: &merged)
        return merged
    }

    private func mergeFrontends(with later: Transaction, into merged: inout Transaction) {
        var visible: [FrontendKey: FrontendRecord?] = [:]
        for update in frontends { visible[update.key] = .some(update.previous) }
        for removal in removedFrontends { visible[removal.key] = .some(removal.previous) }
        let touched = Set(later.frontends.map(\.key)).union(later.removedFrontends.map(\.key))
        merged.frontends = frontends.filter { !touched.contains($0.key) }
        merged.frontends += later.frontends.map { update in
            FrontendUpdate(
                key: update.key, record: update.record, previous: visible[update.key] ?? update.previous)
        }
        merged.removedFrontends = removedFrontends.filter { !touched.contains($0.key) }
        merged.removedFrontends += later.removedFrontends.map { removal in
            FrontendRemoval(key: removal.key, previous: visible[removal.key] ?? removal.previous)
        }
        merged.frontends.sort { $0.key < $1.key }
        merged.removedFrontends.sort { $0.key < $1.key }
    }

    private func mergeSourceRanges(with later: Transaction, into merged: inout Transaction) {
        let removed = Set(later.removedSourceRanges)
        let written = Set(later.sourceRanges.map(\.key))
        merged.sourceRanges = Self.latest(
            sourceRanges.filter { !removed.contains($0.key) } + later.sourceRanges, by: \.key
        ).sorted { SourceRangeKey.narrowerFirst($0.key, $1.key) }
        merged.removedSourceRanges = removed.union(removedSourceRanges.filter { !written.contains($0) })
            .sorted(by: SourceRangeKey.widerFirst)
    }

    private func mergeConsequences(with later: Transaction, into merged: inout Transaction) {
        var stale: [StaleSockets] = later.staleSockets
        for earlier in staleSockets {
            let same = stale.firstIndex { $0.serviceID == earlier.serviceID && $0.family == earlier.family }
            guard let same else {
                stale.append(earlier)
                continue
            }
            stale[same].isRepeat = stale[same].isRepeat && earlier.isRepeat
            stale[same].lost = Set(stale[same].lost).union(earlier.lost).subtracting(stale[same].serving).sorted()
        }
        merged.staleSockets = stale.sorted { ($0.serviceID, $0.family) < ($1.serviceID, $1.family) }
        var lost: [UInt32: Set<UInt32>] = [:]
        for affinity in lostAffinity + later.lostAffinity {
            lost[affinity.serviceID, default: []].formUnion(affinity.backendIDs)
        }
        merged.lostAffinity = lost.keys.sorted().map { id in
            LostAffinity(serviceID: id, backendIDs: (lost[id] ?? []).sorted())
        }
    }

    private static func latest<Element, Key: Hashable>(_ elements: [Element], by key: (Element) -> Key) -> [Element] {
        var latest: [Key: Element] = [:]
        for element in elements { latest[key(element)] = element }
        return Array(latest.values)
    }

    /// Additions and removals of set members: the later word on a member counts.
    private static func merge<Member: Hashable>(
        _ earlier: (added: [Member], removed: [Member]), _ later: (added: [Member], removed: [Member]),
        by ascending: (Member, Member) -> Bool
    ) -> (added: [Member], removed: [Member]) {
        let added = Set(earlier.added).subtracting(later.removed).union(later.added)
        let removed = Set(earlier.removed).subtracting(later.added).union(later.removed)
        return (added.sorted(by: ascending), removed.sorted(by: ascending))
    }
}
