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

    /// Reads everything. An agent may be writing meanwhile: a set that a frontend referred to when it was read is not
    /// overwritten before the agent's grace period is over, which is far longer than this takes.
    ///
    /// Cost: a walk over `frontends`, `services` and the backends, and one system call for each service's counters.
    package init(reading maps: borrowing DatapathMaps) throws(BPFError) {
        self.init()
        let slots = try MappedArray<UInt64>(maps.slots, access: .readOnly)
        let backendArray = try MappedArray<BackendRecord>(maps.backends, access: .readOnly)
        for id in 1..<max(backendArray.count, 1) {
            let record = backendArray.read(id)
            if !record.isFree { backends[UInt32(id)] = record }
        }
        for (key, record) in try maps.frontends.entries() {
            var frontend = Frontend(key: key, record: record)
            frontend.internalSet = members(of: record.fields.internal, in: slots, key)
            frontend.externalSet = members(of: record.fields.external, in: slots, key)
            frontends.append(frontend)
        }
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

    /// The set of one policy; what lies outside of the arena, or names no backend, becomes a complaint.
    private mutating func members(
        of choice: dp_choice, in slots: borrowing MappedArray<UInt64>, _ key: FrontendKey
    ) -> [UInt32] {
        guard choice.action == UInt8(DP_ACTION_FORWARD.rawValue) else { return [] }
        guard choice.setRange.upperBound <= slots.count else {
            complaints.append("frontend \(key): its backend set is outside of the arena")
            return []
        }
        let first = choice.setRange.lowerBound
        let ids = (0..<Int(choice.set_count)).map { position -> UInt32 in
            let pair = slots.read(first + position / 2)
            return UInt32(truncatingIfNeeded: position.isMultiple(of: 2) ? pair : pair >> 32)
        }
        for id in ids where backends[id] == nil {
            complaints.append("frontend \(key): its backend set names id \(id), which is no backend")
        }
        return ids
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
