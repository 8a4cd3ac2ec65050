// What the pinned maps say at one moment, with every reference followed: frontends with the backends of their sets,
// services with their counters. Needs no agent and changes nothing. How it is shown is in the listings.

package import BPF
import CDatapathABI
package import Datapath
package import DatapathImage
package import ServiceModel

package struct DatapathSnapshot: Sendable {
    package struct Frontend: Sendable {
        package var key: FrontendKey
        package var record: FrontendRecord
        /// Backend ids of the set of each policy, in the order of the set; empty unless the action is forward.
        package var internalSet: [UInt32]
        package var externalSet: [UInt32]

        package init(key: FrontendKey, record: FrontendRecord, internalSet: [UInt32] = [], externalSet: [UInt32] = []) {
            self.key = key
            self.record = record
            self.internalSet = internalSet
            self.externalSet = externalSet
        }
    }

    /// In the order in which an address is looked up: see `FrontendKey.precedes(_:)`.
    package var frontends: [Frontend]
    /// Those in use, by id.
    package var backends: [UInt32: BackendRecord]
    package var services: [UInt32: ServicePortName]
    package var counters: [UInt32: ServiceCounters]
    /// Sentences about records that contradict themselves; empty in a sound datapath.
    package var complaints: [String]

    package init(
        frontends: [Frontend] = [], backends: [UInt32: BackendRecord] = [:], services: [UInt32: ServicePortName] = [:],
        counters: [UInt32: ServiceCounters] = [:], complaints: [String] = []
    ) {
        self.frontends = frontends.sorted { $0.key.precedes($1.key) }
        self.backends = backends
        self.services = services
        self.counters = counters
        self.complaints = complaints
    }

    /// Reads everything, in the order in which the programs follow it, and against that in which the agent writes it:
    /// frontends, then slots, then backends. What a frontend referred to when it was read is there before it and is not
    /// reused before the agent's grace period is over, which is far longer than this takes.
    ///
    /// Cost: a walk over `frontends`, `services` and the backends, and one system call for each service's counters.
    package init(reading maps: borrowing DatapathMaps) throws(BPFError) {
        self.init()
        for (key, record) in try maps.frontends.entries() { frontends.append(Frontend(key: key, record: record)) }
        let slots = try MappedArray<UInt64>(maps.slots, access: .readOnly)
        for index in frontends.indices {
            let fields = frontends[index].record.fields
            frontends[index].internalSet = members(of: fields.internal, in: slots, frontends[index].key)
            frontends[index].externalSet = members(of: fields.external, in: slots, frontends[index].key)
        }
        let backendArray = try MappedArray<BackendRecord>(maps.backends, access: .readOnly)
        for id in 1..<max(backendArray.count, 1) {
            let record = backendArray.read(id)
            if !record.isFree { backends[UInt32(id)] = record }
        }
        for frontend in frontends { checkMembers(of: frontend) }
        frontends.sort { $0.key.precedes($1.key) }
        for (id, record) in try maps.services.entries() {
            guard let name = record.name else {
                complaints.append(
                    "service id \(id) has a protocol that services cannot have: \(record.fields.protocol)")
                continue
            }
            services[id] = name
            counters[id] = try maps.counters(ofService: id)
        }
        complaints.sort()
    }

    /// The set of one policy; what lies outside of the arena becomes a complaint.
    private mutating func members(
        of choice: dp_choice, in slots: borrowing MappedArray<UInt64>, _ key: FrontendKey
    ) -> [UInt32] {
        guard choice.action == UInt8(DP_ACTION_FORWARD.rawValue) else { return [] }
        guard choice.setRange.upperBound <= slots.count else {
            complaints.append("frontend \(key): its backend set is outside of the arena")
            return []
        }
        let first = choice.setRange.lowerBound
        return (0..<Int(choice.set_count)).map { position -> UInt32 in
            let pair = slots.read(first + position / 2)
            return UInt32(truncatingIfNeeded: position.isMultiple(of: 2) ? pair : pair >> 32)
        }
    }

    private mutating func checkMembers(of frontend: Frontend) {
        for id in frontend.internalSet + frontend.externalSet where backends[id] == nil {
            complaints.append("frontend \(frontend.key): its backend set names id \(id), which is no backend")
        }
    }
}

extension FrontendKey {
    /// The order of look-ups within an address: exact entries by port and protocol, then the wildcard, which answers
    /// only when none of them did.
    package func precedes(_ other: FrontendKey) -> Bool {
        if address != other.address { return address < other.address }
        if isWildcard != other.isWildcard { return other.isWildcard }
        return self < other
    }
}
