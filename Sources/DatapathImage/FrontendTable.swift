// The frontends in force, with what belongs to them: the wildcard of each virtual address (SVC-12) and the ports that
// NodePort frontends hold. Remembers what a transaction has touched, and never counts on more room than the maps have
// while removals are still outstanding.

import CDatapathABI
import NetworkTypes

struct FrontendTable: Sendable {
    struct Entry: Sendable {
        var record: FrontendRecord
        /// Id of the service port that wants it; zero: nobody so far (restored), or not any more.
        var owner: UInt32
        var `internal` = BackendSpace.Reference()
        var external = BackendSpace.Reference()
        /// Of `record.previous`.
        var previous = BackendSpace.Reference()
    }

    private(set) var entries: [FrontendKey: Entry] = [:]
    /// Entries of the map that contradict themselves: known only in order to be overwritten or removed.
    private(set) var contradictory: [FrontendKey: FrontendRecord] = [:]
    /// NodePort frontends on each (port, protocol, family).
    private var nodePortFrontends: [NodePortKey: Int] = [:]
    /// What the map holds as far as known.
    private(set) var programmedNodePorts: Set<NodePortKey> = []
    /// ClusterIP frontends on each address.
    private var clusterIPFrontends: [IPAddress: Int] = [:]
    /// Frontends in force whose DSR flows are being tracked.
    private(set) var changing: Set<FrontendKey> = []
    /// ExternalIP and load-balancer frontends on each address.
    private var outsideFrontends: [IPAddress: Int] = [:]
    private struct Place: Hashable {
        var serviceID: UInt32
        var family: AddressFamily
    }

    /// Frontends in force whose packets are admitted by source ranges.
    private var rangedFrontends: [Place: Int] = [:]
    /// How many entries are what is left of frontends that have gone.
    private(set) var leftCount = 0
    /// Frontends on each address that plans want and that could not be had. A wildcard stays for them, so that their
    /// address refuses until they are there.
    private var awaited: [IPAddress: Int] = [:]
    /// Wildcards that the map had no room for.
    private(set) var failedWildcards: Set<IPAddress> = []

    private let limits: ImageLimits

    // Of the transaction that is being made:
    /// What the map holds of each key that has been touched.
    private var before: [FrontendKey: FrontendRecord?] = [:]
    private var touchedNodePorts: Set<NodePortKey> = []
    private var touchedAddresses: Set<IPAddress> = []
    /// Entries of the maps if every addition came before every removal.
    private var peakFrontends = 0
    private var peakNodePorts = 0

    init(limits: ImageLimits) {
        self.limits = limits
    }

    subscript(key: FrontendKey) -> Entry? { entries[key] }

    var clusterIPs: some Sequence<IPAddress> { clusterIPFrontends.keys }

    /// Whether a frontend of the service id and family is in force that asks for source ranges.
    func isRanged(_ serviceID: UInt32, _ family: AddressFamily) -> Bool {
        rangedFrontends[Place(serviceID: serviceID, family: family)] != nil
    }

    /// The addresses with a ClusterIP frontend that somebody wants.
    var claimedClusterIPs: Set<IPAddress> {
        Set(entries.lazy.filter { $1.owner != 0 && $1.record.kind == DP_FRONTEND_CLUSTER_IP }.map(\.key.address))
    }

    // MARK: Changes

    mutating func setOwner(_ owner: UInt32, of key: FrontendKey) {
        entries[key]?.owner = owner
    }

    mutating func beginAwaiting(_ key: FrontendKey) {
        awaited[key.address, default: 0] += 1
    }

    mutating func endAwaiting(_ key: FrontendKey) {
        guard let count = awaited[key.address] else { return }
        awaited[key.address] = count == 1 ? nil : count - 1
        touchedAddresses.insert(key.address)
    }

    mutating func reserveCapacity(_ count: Int) {
        entries.reserveCapacity(count)
        before.reserveCapacity(count)
    }

    /// Puts an entry in force in place of `old`, the one that is. Throws if a map has no room; then nothing changed.
    mutating func install(
        _ entry: Entry, at key: FrontendKey, replacing old: Entry?
    ) throws(FrontendFailure.Reason) {
        let isTouched = before[key] != nil
        let isAdded = old == nil && !isTouched && (contradictory.isEmpty || contradictory[key] == nil)
        if isAdded, peakFrontends >= limits.frontends { throw .frontendsFull(limit: limits.frontends) }
        let nodePort = nodePortKey(of: key, entry.record)
        if let nodePort, nodePortFrontends[nodePort] == nil, !programmedNodePorts.contains(nodePort) {
            if !touchedNodePorts.contains(nodePort) {
                guard peakNodePorts < limits.nodePorts else { throw .nodePortsFull(limit: limits.nodePorts) }
                peakNodePorts += 1
            }
        }
        if isAdded { peakFrontends += 1 }
        if !isTouched { before[key] = .some(old?.record ?? contradictory[key]) }
        if !contradictory.isEmpty { contradictory[key] = nil }
        entries[key] = entry
        if let old { countDown(key, old.record) }
        countUp(key, entry.record)
    }

    /// Takes an entry, or a contradictory record, out of force; nil if there is no entry.
    mutating func remove(_ key: FrontendKey) -> Entry? {
        guard entries[key] != nil || contradictory[key] != nil else { return nil }
        if before[key] == nil { before[key] = .some(entries[key]?.record ?? contradictory[key]) }
        contradictory[key] = nil
        guard let old = entries.removeValue(forKey: key) else { return nil }
        countDown(key, old.record)
        return old
    }

    private mutating func countUp(_ key: FrontendKey, _ record: FrontendRecord) {
        if record.isChanging { changing.insert(key) }
        if let nodePort = nodePortKey(of: key, record) {
            nodePortFrontends[nodePort, default: 0] += 1
            touchedNodePorts.insert(nodePort)
        }
        if record.kind == DP_FRONTEND_CLUSTER_IP {
            clusterIPFrontends[key.address, default: 0] += 1
            touchedAddresses.insert(key.address)
        }
        if record.isForOutside, !key.isLeft {
            outsideFrontends[key.address, default: 0] += 1
            touchedAddresses.insert(key.address)
        }
        if key.isLeft { leftCount += 1 }
        if record.hasSourceRanges {
            rangedFrontends[Place(serviceID: record.serviceID, family: key.address.family), default: 0] += 1
        }
    }

    private mutating func countDown(_ key: FrontendKey, _ record: FrontendRecord) {
        if record.isChanging { changing.remove(key) }
        if let nodePort = nodePortKey(of: key, record), let count = nodePortFrontends[nodePort] {
            nodePortFrontends[nodePort] = count == 1 ? nil : count - 1
            touchedNodePorts.insert(nodePort)
        }
        if record.kind == DP_FRONTEND_CLUSTER_IP, let count = clusterIPFrontends[key.address] {
            clusterIPFrontends[key.address] = count == 1 ? nil : count - 1
            touchedAddresses.insert(key.address)
        }
        if record.isForOutside, !key.isLeft, let count = outsideFrontends[key.address] {
            outsideFrontends[key.address] = count == 1 ? nil : count - 1
            touchedAddresses.insert(key.address)
        }
        if key.isLeft { leftCount -= 1 }
        guard record.hasSourceRanges else { return }
        let place = Place(serviceID: record.serviceID, family: key.address.family)
        if let count = rangedFrontends[place] { rangedFrontends[place] = count == 1 ? nil : count - 1 }
    }

    private func nodePortKey(of key: FrontendKey, _ record: FrontendRecord) -> NodePortKey? {
        record.kind == DP_FRONTEND_NODE_PORT && !key.isLeft ? NodePortKey(holding: key) : nil
    }

    // MARK: Restoring

    mutating func restore(_ entry: Entry, at key: FrontendKey) {
        entries[key] = entry
        countUp(key, entry.record)
    }

    mutating func restore(contradictory record: FrontendRecord, at key: FrontendKey) {
        contradictory[key] = record
    }

    /// Call after the frontends. Ports that are missing are added by the next transaction; ports too many are removed
    /// when the time comes to remove what nobody claims.
    mutating func restore(nodePorts: Set<NodePortKey>) {
        programmedNodePorts = nodePorts
        touchedAddresses = []
        touchedNodePorts = touchedNodePorts.subtracting(nodePorts)
        begin()
    }

    /// Has the next transaction look at everything that no plan may have touched: node ports and wildcards, missing ones
    /// included.
    mutating func touchUnclaimed() {
        touchedNodePorts.formUnion(programmedNodePorts.filter { nodePortFrontends[$0] == nil })
        for (key, entry) in entries where entry.record.kind == DP_FRONTEND_WILDCARD {
            touchedAddresses.insert(key.address)
        }
        touchedAddresses.formUnion(clusterIPFrontends.keys)
        touchedAddresses.formUnion(outsideFrontends.keys)
    }

    mutating func retryWildcards() {
        touchedAddresses.formUnion(failedWildcards)
    }

    // MARK: Transactions

    private mutating func begin() {
        before = [:]
        peakFrontends = entries.count + contradictory.count
        peakNodePorts = programmedNodePorts.count
    }

    /// Ends a transaction: wildcards follow the virtual addresses, then everything touched is compared with what was before.
    mutating func finish(into transaction: inout Transaction) {
        settleWildcards()
        for (key, record) in before {
            switch (record, entries[key]?.record) {
            case (let old, let new?) where old != new:
                transaction.frontends.append(.init(key: key, record: new, previous: old))
            case (let old?, nil):
                transaction.removedFrontends.append(.init(key: key, previous: old))
            case (_, _?), (nil, nil):
                break
            }
        }
        transaction.frontends.sort { $0.key < $1.key }
        transaction.removedFrontends.sort { $0.key < $1.key }
        for key in touchedNodePorts {
            if nodePortFrontends[key] != nil {
                if programmedNodePorts.insert(key).inserted { transaction.nodePorts.append(key) }
            } else if programmedNodePorts.remove(key) != nil {
                transaction.removedNodePorts.append(key)
            }
        }
        transaction.nodePorts.sort(by: <)
        transaction.removedNodePorts.sort(by: <)
        touchedNodePorts = []
        begin()
    }

    private mutating func settleWildcards() {
        for address in touchedAddresses {
            let key = FrontendKey(wildcard: address)
            let old = entries[key]
            // As long as frontends wait for room, a ClusterIP whose turn it may be goes on refusing.
            let isClusterIP =
                clusterIPFrontends[address] != nil
                || awaited[address] != nil && old?.record == .wildcard(outsideOnly: false)
            guard isClusterIP || outsideFrontends[address] != nil else {
                if awaited[address] == nil { _ = remove(key) }
                failedWildcards.remove(address)
                continue
            }
            let wanted = Entry(record: .wildcard(outsideOnly: !isClusterIP), owner: 0)
            guard old?.record != wanted.record else { continue }
            do throws(FrontendFailure.Reason) {
                try install(wanted, at: key, replacing: old)
                failedWildcards.remove(address)
            } catch {
                failedWildcards.insert(address)
            }
        }
        touchedAddresses = []
    }
}

extension FrontendRecord {
    /// An address that outside clients dial and no interface needs to have.
    fileprivate var isForOutside: Bool { kind == DP_FRONTEND_EXTERNAL_IP || kind == DP_FRONTEND_LOAD_BALANCER }
}
