// Which sockets may still be bound to an endpoint that no longer serves (CT-2 to CT-4). It compares the serving lists
// of a service port from plan to plan; finding the sockets and destroying them is left to the datapath.

import LoadBalancing
import NetworkTypes
import ServiceModel

struct StaleSocketTracker: Sendable {
    private struct Key: Hashable, Sendable {
        var name: ServicePortName
        var family: AddressFamily
    }

    /// Whose sockets a sweep looks through.
    struct Place: Hashable {
        var serviceID: UInt32
        var family: AddressFamily
    }

    /// Endpoints that went while nothing was left serving: their sockets are kept until something serves again (CT-4).
    private var kept: [Key: Set<AddressAndPort>] = [:]
    /// Those in `kept` whose service ports are gone, oldest first.
    private var deleted: [Key] = []
    /// Those of which nobody knows what went: they come from an earlier run, and nothing has served since. All of their
    /// sockets are looked through when something does.
    private var unknown: Set<Key> = []
    /// How many deleted service ports are remembered, in case they come back.
    private static let deletedLimit = 4096

    /// What a new plan makes stale. The service port must have the id.
    mutating func replaced(_ old: ServicePortPlan, by new: ServicePortPlan, id: UInt32) -> [StaleSockets] {
        stale(old.families, by: new, id: id)
    }

    /// What the plan of a service port that was not there before makes stale: sockets of an earlier one with its name.
    mutating func appeared(_ new: ServicePortPlan, id: UInt32) -> [StaleSockets] {
        deleted.isEmpty && unknown.isEmpty ? [] : stale([], by: new, id: id)
    }

    private mutating func stale(_ old: [FamilyPlan], by new: ServicePortPlan, id: UInt32) -> [StaleSockets] {
        guard Self.concerns(new.name) else { return [] }
        var stale: [StaleSockets] = []
        for family in new.families {
            let key = Key(name: new.name, family: family.family)
            let before = old.first { $0.family == family.family }?.serving ?? []
            guard before != family.serving || kept[key] != nil || unknown.contains(key) else { continue }
            let lost = Set(before).union(kept[key] ?? []).subtracting(family.serving)
            kept[key] = nil
            if family.serving.isEmpty {
                kept[key] = lost.isEmpty ? nil : lost
            } else if unknown.remove(key) != nil || !lost.isEmpty {
                stale.append(
                    StaleSockets(
                        serviceID: id, protocol: new.name.protocolKind, family: family.family,
                        serving: family.serving, lost: lost.sorted()))
            }
        }
        return stale
    }

    /// A service port that goes away keeps its sockets (CT-7). Should it be created anew, they are judged then.
    mutating func removed(_ plan: ServicePortPlan) {
        guard Self.concerns(plan.name) else { return }
        for family in plan.families {
            let key = Key(name: plan.name, family: family.family)
            let served = kept[key, default: []].union(family.serving)
            guard !served.isEmpty else { continue }
            kept[key] = served
            deleted.append(key)
        }
        guard deleted.count > Self.deletedLimit else { return }
        for key in deleted.prefix(Self.deletedLimit / 2) { kept[key] = nil }
        deleted.removeFirst(Self.deletedLimit / 2)
    }

    /// Nobody knows what these service ports of an earlier run lost in the meantime.
    mutating func restored(_ names: some Sequence<ServicePortName>) {
        for name in names where Self.concerns(name) {
            unknown.formUnion(AddressFamily.allCases.map { Key(name: name, family: $0) })
        }
    }

    /// For looking through all sockets of a family of a service port, whatever was lost. Nil while nothing serves: then
    /// they are kept until something does (CT-4).
    mutating func sweep(_ family: FamilyPlan, of name: ServicePortName, id: UInt32) -> StaleSockets? {
        guard Self.concerns(name) else { return nil }
        let key = Key(name: name, family: family.family)
        guard !family.serving.isEmpty else {
            unknown.insert(key)
            return nil
        }
        unknown.remove(key)
        return StaleSockets(
            serviceID: id, protocol: name.protocolKind, family: family.family, serving: family.serving, lost: [])
    }

    /// SCTP sockets are not translated.
    private static func concerns(_ name: ServicePortName) -> Bool {
        switch name.protocolKind {
        case .tcp, .udp: true
        case .sctp: false
        }
    }
}
