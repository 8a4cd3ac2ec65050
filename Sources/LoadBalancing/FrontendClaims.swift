// Which service owns a frontend that several claim (SVC-15): the oldest, steadily. Upstream picks one arbitrarily and
// may flip between syncs; here a newcomer never takes over, and the next in age does when the owner goes.

import NetworkTypes
import ServiceModel

/// A service with its age. Ordered: the lesser one keeps a contested frontend. A service without a creation time is
/// younger than all that have one; ties go by namespace and name.
struct Claimant: Hashable, Comparable, Sendable {
    var creationTime: Int64?
    var service: ObjectName

    static func < (left: Self, right: Self) -> Bool {
        guard left.creationTime != right.creationTime else { return left.service < right.service }
        guard let leftTime = left.creationTime else { return false }
        guard let rightTime = right.creationTime else { return true }
        return leftTime < rightTime
    }
}

struct FrontendClaims: Sendable {
    private struct Claims: Sendable {
        var claimant: Claimant
        var keys: [FrontendAddress]
    }

    /// The owner of every claimed key.
    private var owners: [FrontendAddress: Claimant] = [:]
    /// All claimants of the keys that have several, the owner first.
    private var rivals: [FrontendAddress: [Claimant]] = [:]
    private var claimsByService: [ObjectName: Claims] = [:]

    /// Replaces all claims of one service; `keys` are distinct. Returns the other services for which something is
    /// different now: those that lost a frontend, gained one, or lost it to another owner. Cost: that of the keys.
    mutating func replace(_ keys: [FrontendAddress], of claimant: Claimant) -> Set<ObjectName> {
        let old = claimsByService[claimant.service]
        var affected: Set<ObjectName> = []
        if let old {
            guard old.claimant != claimant || old.keys != keys else { return [] }
            let kept = old.claimant == claimant ? Set(keys) : []
            for key in old.keys where !kept.contains(key) { remove(old.claimant, from: key, affected: &affected) }
            let present = old.claimant == claimant ? Set(old.keys) : []
            for key in keys where !present.contains(key) { insert(claimant, for: key, affected: &affected) }
        } else {
            for key in keys { insert(claimant, for: key, affected: &affected) }
        }
        claimsByService[claimant.service] = keys.isEmpty ? nil : Claims(claimant: claimant, keys: keys)
        affected.remove(claimant.service)
        return affected
    }

    /// The service that serves the key; nil when nobody claims it.
    func owner(of key: FrontendAddress) -> ObjectName? { owners[key]?.service }

    /// The owner of a key that several services claim; nil for all other keys.
    func ownerOfContested(_ key: FrontendAddress) -> ObjectName? {
        rivals.isEmpty ? nil : rivals[key]?.first?.service
    }

    var hasContested: Bool { !rivals.isEmpty }

    private mutating func insert(_ claimant: Claimant, for key: FrontendAddress, affected: inout Set<ObjectName>) {
        guard let owner = owners[key] else {
            owners[key] = claimant
            return
        }
        var claimants = rivals[key] ?? [owner]
        let index = claimants.firstIndex { claimant < $0 } ?? claimants.endIndex
        claimants.insert(claimant, at: index)
        rivals[key] = claimants
        settle(key, owner: claimants[0], before: owner, among: claimants, affected: &affected)
    }

    private mutating func remove(_ claimant: Claimant, from key: FrontendAddress, affected: inout Set<ObjectName>) {
        guard let owner = owners[key] else { return }
        guard var claimants = rivals[key] else {
            if owner == claimant { owners[key] = nil }
            return
        }
        claimants.removeAll { $0 == claimant }
        rivals[key] = claimants.count > 1 ? claimants : nil
        settle(key, owner: claimants[0], before: owner, among: claimants, affected: &affected)
    }

    /// Every claimant hears of a new owner: one gained the frontend, one lost it, the others name it in their problem.
    private mutating func settle(
        _ key: FrontendAddress, owner: Claimant, before: Claimant, among claimants: [Claimant],
        affected: inout Set<ObjectName>
    ) {
        guard owner != before else { return }
        owners[key] = owner
        for claimant in claimants { affected.insert(claimant.service) }
    }
}
