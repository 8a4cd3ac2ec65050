// The contract of DatapathStore as a procedure: the same for the store in memory and for the one over the kernel's
// maps. It says what is broken instead of failing a test, so that any harness can run it.

import CDatapathABI
import DatapathImage
import NetworkTypes
package import Reconciler
import ServiceModel

package struct StoreContract {
    private let store: any DatapathStore
    /// What does not hold, as sentences.
    package private(set) var violations: [String] = []

    private init(_ store: any DatapathStore) {
        self.store = store
    }

    /// Runs everything. The store must be empty and hold at least 2,000 frontends, 2,000 backends, 2,000 services,
    /// 16 node ports, 16 prefixes, 16 source ranges and 4,096 words; it is empty again afterwards, the arena's words left aside.
    package static func violations(of store: any DatapathStore) -> [String] {
        var contract = StoreContract(store)
        do throws(StoreError) {
            try contract.startsEmpty()
            try contract.takesEmptyArguments()
            try contract.keepsSpace()
            try contract.keepsFrontends()
            try contract.keepsSets()
            try contract.keepsSourceRanges()
            try contract.takesLargeBatches()
            try contract.forgivesAbsence()
            try contract.startsEmpty()
        } catch {
            contract.violations.append("a call failed that should not have: \(error)")
        }
        return contract.violations
    }

    private mutating func expect(_ condition: Bool, _ sentence: String) {
        if !condition { violations.append(sentence) }
    }

    // MARK: Cases

    private mutating func startsEmpty() throws(StoreError) {
        let contents = try store.contents()
        expect(contents.frontends.isEmpty, "frontends are not empty")
        expect(contents.backends.allSatisfy(\.isFree), "backends are not empty")
        expect(contents.services.isEmpty, "services are not empty")
        expect(contents.nodePorts.isEmpty, "node ports are not empty")
        expect(contents.serviceCIDRs.isEmpty, "service CIDRs are not empty")
        expect(contents.sourceRanges.isEmpty, "source ranges are not empty")
    }

    private mutating func takesEmptyArguments() throws(StoreError) {
        try store.writeSlots(SlotWrites())
        try store.writeBackends([])
        try store.writeServices([])
        try store.deleteServices([])
        try store.updateFrontends([])
        try store.deleteFrontends([])
        try store.updateNodePorts([])
        try store.deleteNodePorts([])
        try store.updateServiceCIDRs([])
        try store.deleteServiceCIDRs([])
        try store.updateSourceRanges([])
        try store.deleteSourceRanges([])
        try store.forgetAffinity([])
        try store.destroyStaleSockets([])
    }

    private mutating func keepsSpace() throws(StoreError) {
        let record = BackendRecord(Self.address(1), protocol: .tcp, weight: 7)
        let name = ServiceRecord(
            ServicePortName(service: ObjectName(namespace: "a", name: "b"), portName: "c", protocol: .tcp))
        for _ in 1...2 {
            try store.writeBackends([.init(id: 3, record: record), .init(id: 5, record: record)])
            try store.writeServices([.init(id: 9, record: name)])
        }
        var contents = try store.contents()
        expect(contents.backends.count > 5, "backends: elements at the end are missing")
        for (id, found) in contents.backends.enumerated() {
            expect(found == (id == 3 || id == 5 ? record : .free), "backends: element \(id) is not what was written")
        }
        expect(contents.services == [9: name], "services: the name is not what was written")
        for _ in 1...2 {
            try store.writeBackends([.init(id: 3, record: .free), .init(id: 5, record: .free)])
            try store.deleteServices([9])
        }
        contents = try store.contents()
        expect(contents.backends.allSatisfy(\.isFree), "backends: a freed element is not free")
        expect(contents.services.isEmpty, "services: a deleted name is still there")
    }

    private mutating func keepsFrontends() throws(StoreError) {
        var slots = SlotWrites()
        slots.append([1 | 2 << 32, 3], at: 10)
        slots.append([42], at: 4095)
        let members = (1...3).map { id in
            Transaction.BackendWrite(id: id, record: BackendRecord(Self.address(id), protocol: .tcp, weight: 1))
        }
        try store.writeBackends(members)
        try store.writeSlots(slots)
        let keys = [
            FrontendKey(Self.address(100), protocol: .tcp),
            FrontendKey(AddressAndPort(address: IPAddress(high: 1, low: 2), port: 80), protocol: .udp),
            FrontendKey(wildcard: Self.address(100).address),
        ]
        let first = Self.forwarding(service: 1)
        for _ in 1...2 {
            try store.updateFrontends([.init(key: keys[0], record: first)])
            try store.updateFrontends(keys[1...].map { .init(key: $0, record: Self.refusing(service: 2)) })
        }
        var contents = try store.contents()
        expect(contents.frontends.count == 3, "frontends: an address, protocol or wildcard is not apart from another")
        expect(contents.frontends[keys[0]] == first, "frontends: the record is not what was written")
        expect(contents.slots.count >= 12, "slots: words that a frontend refers to are missing")
        if contents.slots.count >= 12 {
            expect(Array(contents.slots[10..<12]) == [1 | 2 << 32, 3], "slots: words are not what was written")
        }
        try store.updateFrontends([.init(key: keys[0], record: Self.refusing(service: 3), previous: first)])
        contents = try store.contents()
        expect(contents.frontends[keys[0]] == Self.refusing(service: 3), "frontends: the record was not replaced")
        for _ in 1...2 { try store.deleteFrontends(keys) }
        expect(try store.contents().frontends.isEmpty, "frontends: a deleted entry is still there")
        try store.writeBackends(members.map { .init(id: $0.id, record: .free) })
    }

    private mutating func keepsSets() throws(StoreError) {
        let ports = [
            NodePortKey(port: 30080, protocol: .tcp, family: .ipv4),
            NodePortKey(port: 30080, protocol: .tcp, family: .ipv6),
            NodePortKey(port: 30080, protocol: .udp, family: .ipv4),
        ]
        let ranges = ["10.96.0.0/12", "10.96.0.0/16", "fd00::/108"].compactMap { CIDR($0).map { PrefixKey($0) } }
        for _ in 1...2 {
            try store.updateNodePorts(ports)
            try store.updateServiceCIDRs(ranges)
        }
        var contents = try store.contents()
        expect(contents.nodePorts == Set(ports), "node ports are not what was written")
        expect(contents.serviceCIDRs == Set(ranges), "service CIDRs are not what was written")
        for _ in 1...2 {
            try store.deleteNodePorts([ports[0]])
            try store.deleteServiceCIDRs([ranges[1]])
        }
        contents = try store.contents()
        expect(contents.nodePorts == Set(ports[1...]), "node ports: the wrong one was deleted")
        expect(contents.serviceCIDRs == [ranges[0], ranges[2]], "service CIDRs: the wrong one was deleted")
        try store.deleteNodePorts(ports)
        try store.deleteServiceCIDRs(ranges)
    }

    private mutating func keepsSourceRanges() throws(StoreError) {
        let ranges = ["10.1.0.0/16", "10.0.0.0/8", "fd00::/8", "::/0"].compactMap { CIDR($0) }
        let keys = [UInt32(1), 2].flatMap { id in ranges.map { SourceRangeKey($0, serviceID: id) } }
        func writes(_ admission: SourceAdmission) -> [Transaction.SourceRangeWrite] {
            keys.map { .init(key: $0, admission: admission) }
        }
        for _ in 1...2 { try store.updateSourceRanges(writes(.allow)) }
        try store.updateSourceRanges(Array(writes(.deny)[2...3]))
        var wanted = Dictionary(uniqueKeysWithValues: keys.map { ($0, SourceAdmission.allow) })
        for key in keys[2...3] { wanted[key] = .deny }
        expect(try store.contents().sourceRanges == wanted, "source ranges are not what was written")
        for _ in 1...2 { try store.deleteSourceRanges([keys[1]]) }
        wanted[keys[1]] = nil
        expect(try store.contents().sourceRanges == wanted, "source ranges: the wrong one was deleted")
        try store.deleteSourceRanges(keys)
    }

    private mutating func takesLargeBatches() throws(StoreError) {
        let keys = (1...1500).map { FrontendKey(Self.address($0), protocol: .tcp) }
        let record = Self.refusing(service: 1)
        try store.updateFrontends(keys.map { .init(key: $0, record: record) })
        let found = try store.contents().frontends
        expect(found == Dictionary(uniqueKeysWithValues: keys.map { ($0, record) }), "a batch of 1500 is not complete")
        // Entries that are not there, in between those that are, must not stop a batch.
        let absent = (5001...5100).map { FrontendKey(Self.address($0), protocol: .tcp) }
        try store.deleteFrontends(absent + keys + absent)
        expect(try store.contents().frontends.isEmpty, "a batch of deletions stopped at an entry that is not there")
    }

    private mutating func forgivesAbsence() throws(StoreError) {
        try store.deleteServices([77])
        try store.deleteNodePorts([NodePortKey(port: 1, protocol: .sctp, family: .ipv4)])
        try store.deleteServiceCIDRs([PrefixKey(CIDR(IPAddress(ipv4: 1)))])
        try store.deleteSourceRanges([SourceRangeKey(CIDR(IPAddress(ipv4: 1)), serviceID: 77)])
        try store.writeBackends([.init(id: 99, record: .free)])
        try store.forgetAffinity([LostAffinity(serviceID: 77, backendIDs: [1, 2])])
        try store.destroyStaleSockets([
            StaleSockets(
                serviceID: 77, protocol: .udp, family: .ipv4, serving: [Self.address(1)], lost: [Self.address(2)])
        ])
    }

    // MARK: Values

    private static func address(_ number: some BinaryInteger) -> AddressAndPort {
        AddressAndPort(address: IPAddress(ipv4: 0x7f01_0000 + UInt32(number)), port: 8080)
    }

    private static func refusing(service: UInt32) -> FrontendRecord {
        var record = dp_frontend()
        record.service_id = service
        record.kind = UInt8(DP_FRONTEND_CLUSTER_IP.rawValue)
        record.internal.action = UInt8(DP_ACTION_REJECT.rawValue)
        record.external.action = UInt8(DP_ACTION_DROP.rawValue)
        return FrontendRecord(record)
    }

    private static func forwarding(service: UInt32) -> FrontendRecord {
        var record = refusing(service: service)
        record.fields.internal.action = UInt8(DP_ACTION_FORWARD.rawValue)
        record.fields.internal.set_word = 10
        record.fields.internal.set_count = 3
        return record
    }
}
