// Giving space back when its grace period is over, and removing what no plan claims.

import CDatapathABI
import LoadBalancing
package import ServiceModel

extension DatapathImage {
    /// Frees what was quarantined up to the transaction with this number, and returns what to clear in the maps. The
    /// freed space may be reused by the next transaction. Call it only when that transaction's flips and removals are
    /// done and the grace period is over. `visible` are records that are still in the map because replacing or
    /// removing them failed: what they refer to stays in quarantine, backends and service ids included.
    package mutating func reclaim(through generation: UInt64, visible: [FrontendRecord] = []) -> Transaction {
        let shown = ShownSpace(visible, quarantine.map(\.space))
        var transaction = Transaction()
        var held: [(generation: UInt64, space: Transaction.Quarantined)] = []
        for (number, batch) in quarantine {
            guard number <= generation else {
                held.append((number, batch))
                continue
            }
            let (rest, released) = shown.split(batch)
            free(released, into: &transaction)
            if !rest.isEmpty { held.append((number, rest)) }
        }
        quarantine = held
        self.generation += 1
        transaction.generation = self.generation
        transaction.backends.sort { $0.id < $1.id }
        transaction.removedServices.sort()
        return transaction
    }

    private mutating func free(_ batch: Transaction.Quarantined, into transaction: inout Transaction) {
        for range in batch.slotRanges { space.free(slotRange: range) }
        for id in batch.backendIDs {
            space.free(backendID: id)
            transaction.backends.append(Transaction.BackendWrite(id: id, record: .free))
        }
        for id in batch.serviceIDs {
            services.free(id)
            transaction.removedServices.append(id)
        }
    }

    /// The number of the oldest transaction with space in quarantine; nil if there is none.
    package var oldestQuarantine: UInt64? { quarantine.first?.generation }

    /// Removes every record of an earlier run that no plan has claimed. Call it once, when every source has delivered
    /// everything that it has; until then, what an earlier run left keeps forwarding (SYNC-1).
    package mutating func removeUnclaimed() -> Transaction {
        guard holdsUnclaimed else { return Transaction() }
        holdsUnclaimed = false
        for (key, entry) in frontends.entries where entry.owner == 0 && !key.isWildcard && !key.isLeft { leave(key) }
        for key in frontends.contradictory.keys { remove(key) }
        frontends.touchUnclaimed()
        sourceRanges.touchUnclaimed()
        services.dropUnclaimed()
        space.dropUnreferenced()
        var transaction = finish(TransactionDraft())
        guard !unclaimed.isEmpty else { return transaction }
        transaction.quarantined.slotRanges += unclaimed.slotRanges
        transaction.quarantined.backendIDs += unclaimed.backendIDs
        transaction.quarantined.isUnreadable = true
        unclaimed = Transaction.Quarantined()
        if quarantine.last?.generation == transaction.generation { quarantine.removeLast() }
        return quarantining(transaction)
    }

    /// How many frontends of an earlier run no plan has claimed so far.
    package var unclaimedFrontends: Int {
        guard holdsUnclaimed else { return 0 }
        return frontends.contradictory.count
            + frontends.entries.count { $1.owner == 0 && !$0.isWildcard && !$0.isLeft }
    }

    /// Removes what an earlier run left of services that have been read: frontends that their plans do not have, and
    /// others on the ClusterIPs of plans. What may belong to services that could not be read stays.
    package mutating func removeUnclaimed(of read: Set<ObjectName>) -> Transaction {
        guard holdsUnclaimed else { return Transaction() }
        let names = services.unclaimedNames
        let claimed = frontends.claimedClusterIPs
        for (key, entry) in frontends.entries where entry.owner == 0 && !key.isWildcard && !key.isLeft {
            let name = services.name(of: entry.record.serviceID) ?? names[entry.record.serviceID]
            let isOnClaimed = entry.record.kind == DP_FRONTEND_CLUSTER_IP && claimed.contains(key.address)
            if isOnClaimed || name.map({ read.contains($0.service) }) ?? false { leave(key) }
        }
        return finish(TransactionDraft())
    }

    /// What every service port's sockets may be bound to: for a sweep after a restart, when nobody knows which
    /// endpoints went in the meantime. Service ports that no plan has claimed so far, and those that nothing serves, are
    /// swept when something does. Call it before anything unclaimed is removed. Ordered by service id and family.
    package mutating func socketSweep() -> [StaleSockets] {
        sockets.restored(services.unclaimedNames.values)
        return services.namedIDs.flatMap { id, name in
            (services[name]?.plan.families ?? []).compactMap { sockets.sweep($0, of: name, id: id) }
        }
    }

    /// The same once more, with what serves now: for sockets that were just connecting when `swept` were looked through.
    package mutating func repeatedSweep(_ swept: [StaleSockets]) -> [StaleSockets] {
        var seen = Set<StaleSocketTracker.Place>()
        return swept.compactMap { earlier in
            guard seen.insert(.init(serviceID: earlier.serviceID, family: earlier.family)).inserted,
                let name = services.name(of: earlier.serviceID),
                let family = services[name]?.plan.families.first(where: { $0.family == earlier.family })
            else { return nil }
            var again = sockets.sweep(family, of: name, id: earlier.serviceID)
            again?.isRepeat = true
            return again
        }
    }
}
