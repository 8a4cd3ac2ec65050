// From plans to a transaction. Releases come first, so that a frontend can pass from one service port to another within
// one transaction and without a gap; then claims; then everything that has been touched is compared with what was.

import CDatapathABI
import LoadBalancing
package import NetworkTypes
import ServiceModel

/// What is known about a transaction while it is being made.
struct TransactionDraft {
    /// Frontends that a plan gave up; removed at the end unless somebody else took them.
    var released: [FrontendKey] = []
    /// For each service port with affinity, the backends that its frontends could choose before.
    var affinityBefore: [UInt32: Set<UInt32>] = [:]
    /// The frontends to look at for what it can choose afterwards.
    var affinityKeys: [UInt32: [FrontendKey]] = [:]
    var staleSockets: [StaleSockets] = []
}

extension DatapathImage {
    /// The changes that make the maps follow the plans; of several plans for a name, the last counts. Cost: that of the
    /// plans that differ from those applied before. Frontends that cannot be had are in `failures` afterwards; their
    /// earlier records stay in force, and all others are not affected. Of two frontends of one plan with the same key,
    /// the first counts.
    package mutating func apply(_ changes: [Change]) -> Transaction {
        var draft = TransactionDraft()
        let changes = withoutRepetitions(changes)
        reserveCapacity(changes)
        let news = changes.map { (change: $0, old: services[$0.name]) }.filter { isNews($0.change, $0.old) }
        for (change, old) in news {
            if let old { release(change, old, &draft) }
        }
        for (change, old) in news {
            if let plan = change.plan { claim(plan, old, &draft) }
        }
        claimWaiting(&draft)
        return finish(draft)
    }

    /// Tries again what failed. Worth it after space was freed or something was removed.
    package mutating func retryFailed() -> Transaction {
        var draft = TransactionDraft()
        for name in failuresByService.keys.sorted() {
            if let entry = services[name] { claim(entry.plan, entry, &draft) }
        }
        frontends.retryWildcards()
        return finish(draft)
    }

    /// The ServiceCIDRs, all of them.
    package mutating func setServiceCIDRs(_ ranges: [CIDR]) -> Transaction {
        serviceCIDRs.set(ranges)
        return finish(TransactionDraft())
    }

    private func withoutRepetitions(_ changes: [Change]) -> [Change] {
        guard changes.count > 1 else { return changes }
        var last: [ServicePortName: Int] = [:]
        last.reserveCapacity(changes.count)
        for (index, change) in changes.enumerated() { last[change.name] = index }
        if last.count == changes.count { return changes }
        return changes.enumerated().filter { last[$1.name] == $0 }.map(\.element)
    }

    private func isNews(_ change: Change, _ old: ServiceTable.Entry?) -> Bool {
        guard let old else { return change.plan != nil }
        return old.plan != change.plan || hasFailed(change.name)
    }

    /// A first sync brings everything at once.
    private mutating func reserveCapacity(_ changes: [Change]) {
        guard changes.count > 100, changes.count > services.count else { return }
        var (lists, backends, keys) = (0, 0, 0)
        for change in changes {
            for family in change.plan?.families ?? [] {
                lists += family.local.isEmpty ? 1 : 2
                backends += family.cluster.count
                keys += family.frontends.count + 1
            }
        }
        services.reserveCapacity(changes.count)
        space.reserveCapacity(lists: lists, backends: min(backends, limits.backends))
        frontends.reserveCapacity(min(keys, limits.frontends))
    }

    // MARK: Releasing

    private mutating func release(
        _ change: Change, _ old: ServiceTable.Entry, _ draft: inout TransactionDraft
    ) {
        let kept = Set(change.plan.map { Self.keys(of: $0) } ?? [])
        for key in Self.keys(of: old.plan) where !kept.contains(key) {
            guard old.id != 0, frontends[key]?.owner == old.id else { continue }
            frontends.setOwner(0, of: key)
            draft.released.append(key)
        }
        if let plan = change.plan, old.id != 0 {
            draft.staleSockets += sockets.replaced(old.plan, by: plan, id: old.id)
        }
        // A failed frontend may still have the affinity of an earlier plan.
        if old.plan.sessionAffinitySeconds != nil || hasFailed(change.name) {
            noteAffinity(old.id, old.plan, &draft)
        }
        guard change.plan == nil else { return }
        clearFailures(of: change.name)
        sockets.removed(old.plan)
        sourceRanges.release(old.id)
        services.remove(change.name)
    }

    static func keys(of plan: ServicePortPlan) -> [FrontendKey] {
        plan.families.flatMap { family in
            family.frontends.map { FrontendKey($0.address, protocol: plan.name.protocolKind) }
        }
    }

    // MARK: Claiming

    private mutating func claim(
        _ plan: ServicePortPlan, _ old: ServiceTable.Entry?, _ draft: inout TransactionDraft
    ) {
        clearFailures(of: plan.name)
        let id = services.put(plan, replacing: old)
        guard id != 0 else {
            for key in Self.keys(of: plan) { fail(plan.name, key, .servicesFull(limit: limits.services)) }
            return
        }
        if old == nil { draft.staleSockets += sockets.appeared(plan, id: id) }
        if plan.sessionAffinitySeconds != nil || holdsUnclaimed { noteAffinity(id, plan, &draft) }
        let unlisted = failure(ofSourceRanges: plan, id)
        var seen = Set<FrontendKey>()
        let isSingle = plan.families.count == 1 && plan.families[0].frontends.count == 1
        for family in plan.families {
            var lists = FamilyLists(plan: plan, family: family)
            for frontend in family.frontends {
                let key = FrontendKey(frontend.address, protocol: plan.name.protocolKind)
                guard isSingle || seen.insert(key).inserted else { continue }
                do throws(FrontendFailure.Reason) {
                    if let unlisted, !frontend.sourceRanges.isEmpty { throw unlisted }
                    try claim(key, frontend, plan, id, &lists)
                } catch {
                    keepRestored(key, id)
                    fail(plan.name, key, error)
                }
            }
            lists.end(&space)
        }
    }

    /// Why the frontends that have source ranges cannot be had; nil: their ranges have room.
    private mutating func failure(ofSourceRanges plan: ServicePortPlan, _ id: UInt32) -> FrontendFailure.Reason? {
        do throws(FrontendFailure.Reason) {
            try sourceRanges.want(plan.sourceRangeRules(id: id), of: id)
            return nil
        } catch {
            return error
        }
    }

    private mutating func claim(
        _ key: FrontendKey, _ frontend: FrontendPlan, _ plan: ServicePortPlan, _ id: UInt32,
        _ lists: inout FamilyLists
    ) throws(FrontendFailure.Reason) {
        let current = frontends[key]
        if let current, current.owner != 0, current.owner != id, let owner = services.name(of: current.owner) {
            waiting[key, default: []].insert(plan.name)
            throw .heldByOther(owner)
        }
        let inside = try lists.choice(frontend.internalTo, &space)
        let outside = try lists.choice(frontend.externalTo, &space)
        let previous = try previous(of: current, serviceID: id, isDSR: plan.isDSR(frontend), external: outside)
        defer { space.release(previous.borrowed) }
        let record = FrontendRecord(
            frontend, of: plan, serviceID: id, internal: inside.choice, external: outside.choice,
            previous: previous.choice)
        if let current, current.record == record {
            frontends.setOwner(id, of: key)
            return
        }
        let entry = FrontendTable.Entry(
            record: record, owner: id, internal: inside.reference, external: outside.reference,
            previous: previous.reference)
        try frontends.install(entry, at: key, replacing: current)
        retain(entry)
        if let current { release(current) }
        // Whoever has the address now wins at once.
        if frontends.leftCount > 0, let left = key.left { remove(left) }
    }

    /// Frontends that a released key, or one that nobody has any more, was keeping from others.
    private mutating func claimWaiting(_ draft: inout TransactionDraft) {
        guard !waiting.isEmpty else { return }
        let names = draft.released.reduce(into: Set<ServicePortName>()) { $0.formUnion(waiting[$1] ?? []) }
        for name in names.sorted() {
            if let entry = services[name] { claim(entry.plan, entry, &draft) }
        }
    }

    /// A record of an earlier run stays in force, and stays this service port's, if the new one cannot be had.
    private mutating func keepRestored(_ key: FrontendKey, _ id: UInt32) {
        guard let current = frontends[key], current.owner == 0, current.record.fields.service_id == id else { return }
        frontends.setOwner(id, of: key)
    }

    mutating func retain(_ entry: FrontendTable.Entry) {
        for reference in entry.references { space.retain(reference) }
    }

    mutating func release(_ entry: FrontendTable.Entry) {
        for reference in entry.references { space.release(reference) }
    }

    private mutating func fail(_ name: ServicePortName, _ key: FrontendKey, _ reason: FrontendFailure.Reason) {
        failuresByService[name, default: []].append(FrontendFailure(key: key, service: name, reason: reason))
        frontends.beginAwaiting(key)
    }

    private func hasFailed(_ name: ServicePortName) -> Bool {
        !failuresByService.isEmpty && failuresByService[name] != nil
    }

    private mutating func clearFailures(of name: ServicePortName) {
        guard hasFailed(name), let failures = failuresByService.removeValue(forKey: name) else { return }
        for failure in failures {
            frontends.endAwaiting(failure.key)
            waiting[failure.key]?.remove(name)
            if waiting[failure.key]?.isEmpty == true { waiting[failure.key] = nil }
        }
    }

    // MARK: Affinity

    /// Remembers what the service port could choose before this transaction, if it has affinity records.
    private mutating func noteAffinity(_ id: UInt32, _ plan: ServicePortPlan, _ draft: inout TransactionDraft) {
        guard id != 0 else { return }
        let keys = Self.keys(of: plan)
        var before = Set<UInt32>()
        for key in keys { before.formUnion(affinityBackends(of: id, at: key)) }
        guard plan.sessionAffinitySeconds != nil || !before.isEmpty else { return }
        draft.affinityBefore[id, default: []].formUnion(before)
        draft.affinityKeys[id, default: []] += keys
    }

    private func affinityBackends(of id: UInt32, at key: FrontendKey) -> [UInt32] {
        guard let entry = frontends[key], entry.record.fields.service_id == id,
            entry.record.fields.affinity_timeout_s > 0
        else { return [] }
        let inside = space.sets.ids(of: entry.internal.set)
        return entry.external.set == entry.internal.set ? inside : inside + space.sets.ids(of: entry.external.set)
    }

    /// What left every list in the transaction (AFF-4, AFF-5). All of them, if affinity was turned off (AFF-6).
    private func lostAffinity(_ draft: TransactionDraft) -> [LostAffinity] {
        draft.affinityBefore.keys.sorted().compactMap { id in
            var lost = draft.affinityBefore[id] ?? []
            for key in draft.affinityKeys[id] ?? [] { lost.subtract(affinityBackends(of: id, at: key)) }
            return lost.isEmpty ? nil : LostAffinity(serviceID: id, backendIDs: lost.sorted())
        }
    }

    // MARK: Finishing

    mutating func finish(_ draft: TransactionDraft) -> Transaction {
        var transaction = Transaction()
        for key in draft.released where frontends[key]?.owner == 0 { leave(key) }
        frontends.finish(into: &transaction)
        space.finish(into: &transaction)
        services.finish(into: &transaction)
        serviceCIDRs.finish(into: &transaction, keepsOthers: holdsUnclaimed)
        sourceRanges.finish(into: &transaction) { frontends.isRanged($0, $1) }
        transaction.staleSockets = draft.staleSockets.sorted { ($0.serviceID, $0.family) < ($1.serviceID, $1.family) }
        transaction.lostAffinity = lostAffinity(draft)
        generation += 1
        transaction.generation = generation
        return quarantining(transaction)
    }

    mutating func remove(_ key: FrontendKey) {
        if let old = frontends.remove(key) { release(old) }
    }

    /// Notes the quarantined space, in an order that does not depend on how it was found.
    mutating func quarantining(_ transaction: Transaction) -> Transaction {
        guard !transaction.quarantined.isEmpty else { return transaction }
        var transaction = transaction
        transaction.quarantined.slotRanges.sort { $0.lowerBound < $1.lowerBound }
        transaction.quarantined.backendIDs.sort()
        transaction.quarantined.serviceIDs.sort()
        quarantine.append((transaction.generation, transaction.quarantined))
        return transaction
    }
}
