// Service ports, their ids, and the plan that each is meant to follow. Ids live as long as the name does, also across a
// restart, since counters and affinity records are kept under them.

import LoadBalancing
import ServiceModel

struct ServiceTable: Sendable {
    struct Entry: Sendable {
        /// Zero while no id is free.
        var id: UInt32
        var plan: ServicePortPlan
    }

    private(set) var entries: [ServicePortName: Entry] = [:]
    /// Index is the id.
    private var names: [ServicePortName?] = [nil]
    private var allocator: IdentifierAllocator
    /// Ids found in the map that no plan has claimed, by the name they are written under.
    private var restored: [ServiceRecord: UInt32] = [:]
    /// Taken ids that no name can claim.
    private var orphans: [UInt32] = []

    // Of the transaction that is being made:
    private var fresh: [UInt32] = []
    private var dropped: [UInt32] = []

    init(limit: Int) {
        allocator = IdentifierAllocator(highest: limit - 1)
    }

    subscript(name: ServicePortName) -> Entry? { entries[name] }

    var count: Int { entries.count }

    /// Ids that are not free, quarantined ones included.
    var usedCount: Int { allocator.used }

    func isUsed(_ id: UInt32) -> Bool { allocator.isUsed(id) }

    func name(of id: UInt32) -> ServicePortName? {
        Int(id) < names.count ? names[Int(id)] : nil
    }

    // MARK: Changes

    mutating func reserveCapacity(_ count: Int) {
        entries.reserveCapacity(count)
        names.reserveCapacity(count + 1)
    }

    /// Notes the plan in place of the entry that there is, and returns the service port's id; zero if none is free.
    mutating func put(_ plan: ServicePortPlan, replacing old: Entry?) -> UInt32 {
        let known = old?.id ?? 0
        let id = known != 0 ? known : takeID(for: plan.name)
        entries[plan.name] = Entry(id: id, plan: plan)
        return id
    }

    mutating func remove(_ name: ServicePortName) {
        guard let entry = entries.removeValue(forKey: name), entry.id != 0 else { return }
        names[Int(entry.id)] = nil
        dropped.append(entry.id)
    }

    private mutating func takeID(for name: ServicePortName) -> UInt32 {
        if !restored.isEmpty, let id = restored.removeValue(forKey: ServiceRecord(name)) {
            setName(name, of: id)
            return id
        }
        guard let id = allocator.allocate() else { return 0 }
        setName(name, of: id)
        fresh.append(id)
        return id
    }

    private mutating func setName(_ name: ServicePortName, of id: UInt32) {
        if Int(id) >= names.count { names.append(contentsOf: repeatElement(nil, count: Int(id) + 1 - names.count)) }
        names[Int(id)] = name
    }

    /// Gives an id back whose grace period is over.
    mutating func free(_ id: UInt32) { allocator.free(id) }

    // MARK: Restoring

    mutating func restore(_ id: UInt32, record: ServiceRecord) {
        guard allocator.reserve(id) else { return }
        if record.name != nil, restored[record] == nil { restored[record] = id } else { orphans.append(id) }
    }

    /// Keeps an id from being given away that a frontend uses, although it has no name.
    mutating func reserve(_ id: UInt32) {
        if allocator.reserve(id) { orphans.append(id) }
    }

    /// Whether the id was found at start and no plan has claimed it.
    func isUnclaimed(_ id: UInt32) -> Bool { allocator.isUsed(id) && name(of: id) == nil }

    /// The names of such ids, as far as they can be read.
    var unclaimedNames: [UInt32: ServicePortName] {
        restored.reduce(into: [:]) { $0[$1.value] = $1.key.name }
    }

    mutating func dropUnclaimed() {
        dropped += restored.values
        dropped += orphans
        restored = [:]
        orphans = []
    }

    // MARK: Transactions

    mutating func finish(into transaction: inout Transaction) {
        for id in fresh {
            if let name = name(of: id) {
                transaction.services.append(Transaction.ServiceWrite(id: id, record: ServiceRecord(name)))
            }
        }
        transaction.services.sort { $0.id < $1.id }
        transaction.quarantined.serviceIDs += dropped.sorted()
        fresh = []
        dropped = []
    }

    /// Every id with its name, ascending.
    var namedIDs: [(id: UInt32, name: ServicePortName)] {
        names.enumerated().compactMap { id, name in name.map { (UInt32(id), $0) } }
    }
}
