// Backends and their ids: who has which element of `backends`, and how many sets refer to it. An id is freed by
// DatapathImage after the grace period; until then it stays taken without naming a backend.

import CDatapathABI
import LoadBalancing
import NetworkTypes

struct BackendTable: Sendable {
    struct Key: Hashable, Sendable {
        var address: AddressAndPort
        var protocolKind: TransportProtocol

        /// Whole words only: hashing bytes piece by piece costs twice as much, and a first sync hashes 50,000 of these.
        func hash(into hasher: inout Hasher) {
            hasher.combine(address.address.high)
            hasher.combine(address.address.low)
            hasher.combine(UInt64(address.port) << 8 | UInt64(protocolKind.rawValue))
        }
    }

    /// What else dp_backend says: of the plan applied last.
    struct Traits: Hashable, Sendable {
        var weight: UInt32
        var isLocal: Bool
    }

    private struct Entry: Sendable {
        var key: Key
        var references: Int32 = 0
        var traits: Traits
        /// Not yet in the map: may be taken back without a grace period.
        var isFresh: Bool
        /// On `changed` already.
        var isChanged: Bool
    }

    private var ids: [Key: UInt32] = [:]
    /// Index is the id.
    private var entries: [Entry?] = [nil]
    private var allocator: IdentifierAllocator
    /// Ids whose element may have to be written.
    private var changed: [UInt32] = []
    /// Ids that lost their last reference in this transaction; they may have got one again.
    private var dropped: [UInt32] = []

    init(limit: Int) {
        allocator = IdentifierAllocator(highest: limit - 1)
    }

    /// Ids that are not free, quarantined ones included.
    var usedCount: Int { allocator.used }

    mutating func reserveCapacity(_ count: Int) {
        ids.reserveCapacity(count)
        entries.reserveCapacity(count + 1)
    }

    func isUsed(_ id: UInt32) -> Bool { allocator.isUsed(id) }

    func id(of key: Key) -> UInt32? { ids[key] }

    /// Nil for an id that names no backend.
    func record(of id: UInt32) -> BackendRecord? {
        guard Int(id) < entries.count, let entry = entries[Int(id)] else { return nil }
        return BackendRecord(entry.key.address, protocol: entry.key.protocolKind, entry.traits)
    }

    // MARK: References

    /// The backend's id with one more reference; nil if all ids are taken.
    mutating func acquire(_ key: Key, _ traits: Traits) -> UInt32? {
        if let id = ids[key] {
            retain(id)
            return id
        }
        guard let id = allocator.allocate() else { return nil }
        place(Entry(key: key, references: 1, traits: traits, isFresh: true, isChanged: true), at: id)
        ids[key] = id
        changed.append(id)
        return id
    }

    mutating func retain(_ id: UInt32) {
        entries[Int(id)]?.references += 1
    }

    mutating func release(_ id: UInt32) {
        guard let entry = entries[Int(id)] else { return }
        entries[Int(id)]?.references -= 1
        guard entry.references == 1 else { return }
        if entry.isFresh {
            forget(id)
            allocator.free(id)
        } else {
            dropped.append(id)
        }
    }

    mutating func setTraits(_ traits: Traits, of id: UInt32) {
        guard let entry = entries[Int(id)], entry.traits != traits else { return }
        entries[Int(id)]?.traits = traits
        if !entry.isChanged { changed.append(id) }
        entries[Int(id)]?.isChanged = true
    }

    /// Gives ids back whose grace period is over.
    mutating func free(_ id: UInt32) {
        allocator.free(id)
    }

    // MARK: Restoring

    /// Takes over an element of the map, without a reference so far. False if the id is taken without naming the
    /// backend: the element makes no sense, or the backend has an id already.
    mutating func restore(_ id: UInt32, record: BackendRecord) -> Bool {
        guard allocator.reserve(id) else { return false }
        guard let protocolKind = TransportProtocol(rawValue: record.fields.protocol) else { return false }
        let key = Key(address: record.address, protocolKind: protocolKind)
        let traits = Traits(weight: record.fields.weight, isLocal: record.isLocal)
        guard ids[key] == nil, record == BackendRecord(record.address, protocol: protocolKind, traits) else {
            return false
        }
        place(Entry(key: key, traits: traits, isFresh: false, isChanged: false), at: id)
        ids[key] = id
        return true
    }

    /// Keeps an id from being given away, although its element names no backend.
    mutating func reserve(_ id: UInt32) -> Bool { allocator.reserve(id) }

    /// Treats every backend without a reference as dropped.
    mutating func dropUnreferenced() {
        for (id, entry) in entries.enumerated() where entry?.references == 0 { dropped.append(UInt32(id)) }
    }

    // MARK: Transactions

    /// Ends a transaction. Returns the elements to write, and the ids that nobody refers to any more; both ascending.
    mutating func finish() -> (writes: [Transaction.BackendWrite], dropped: [UInt32]) {
        var gone: [UInt32] = []
        for id in dropped.sorted() where entries[Int(id)]?.references == 0 {
            forget(id)
            gone.append(id)
        }
        var writes: [Transaction.BackendWrite] = []
        writes.reserveCapacity(changed.count)
        for id in changed {
            // An id may be on the list twice: given away, taken back and given away again.
            guard let entry = entries[Int(id)], entry.isChanged, let record = record(of: id) else { continue }
            entries[Int(id)]?.isChanged = false
            entries[Int(id)]?.isFresh = false
            writes.append(Transaction.BackendWrite(id: id, record: record))
        }
        changed = []
        dropped = []
        writes.sort { $0.id < $1.id }
        return (writes, gone)
    }

    /// Every id that names a backend, ascending.
    var occupiedIDs: [UInt32] {
        entries.indices.filter { entries[$0] != nil }.map { UInt32($0) }
    }

    private mutating func place(_ entry: Entry, at id: UInt32) {
        if Int(id) >= entries.count {
            entries.append(contentsOf: repeatElement(nil, count: Int(id) + 1 - entries.count))
        }
        entries[Int(id)] = entry
    }

    private mutating func forget(_ id: UInt32) {
        guard let entry = entries[Int(id)] else { return }
        ids[entry.key] = nil
        entries[Int(id)] = nil
    }
}

extension BackendTable.Traits {
    init(_ backend: Backend) {
        self.init(weight: max(backend.weight, 1), isLocal: backend.isLocal)
    }
}

extension BackendRecord {
    fileprivate init(
        _ address: AddressAndPort, protocol protocolKind: TransportProtocol, _ traits: BackendTable.Traits
    ) {
        self.init(address, protocol: protocolKind, weight: traits.weight, isLocal: traits.isLocal)
    }
}
