// What could not be written, and a later change on top of it.

import CDatapathABI
import DatapathImage
import DatapathTestSupport
import NetworkTypes
import Testing

@Suite struct TransactionMergingTests {
    private static let key = FrontendKey(.fixture("10.96.0.1:80"), protocol: .tcp)
    private static let port = NodePortKey(port: 30080, protocol: .tcp, family: .ipv4)

    private static func record(_ service: UInt32) -> FrontendRecord {
        var record = dp_frontend()
        record.service_id = service
        return FrontendRecord(record)
    }

    private static func update(_ service: UInt32, previous: UInt32?) -> Transaction {
        var transaction = Transaction()
        transaction.frontends = [.init(key: key, record: record(service), previous: previous.map(record))]
        return transaction
    }

    private static func removal(previous: UInt32) -> Transaction {
        var transaction = Transaction()
        transaction.removedFrontends = [.init(key: key, previous: record(previous))]
        return transaction
    }

    @Test("the later update counts, and what is visible until then is what the earlier one found")
    func updates() {
        let merged = Self.update(2, previous: 1).followed(by: Self.update(3, previous: 2))
        #expect(merged == Self.update(3, previous: 1))
    }

    @Test("an update that failed and is not wanted any more becomes a removal")
    func updateThenRemoval() {
        let merged = Self.update(2, previous: 1).followed(by: Self.removal(previous: 2))
        #expect(merged == Self.removal(previous: 1))
    }

    @Test("a removal that failed and is wanted again becomes an update")
    func removalThenUpdate() {
        let merged = Self.removal(previous: 1).followed(by: Self.update(2, previous: nil))
        #expect(merged == Self.update(2, previous: 1))
    }

    @Test("the later word on a node port, a name, a backend counts")
    func members() {
        var earlier = Transaction()
        earlier.nodePorts = [Self.port]
        earlier.removedServices = [1, 2]
        earlier.backends = [.init(id: 1, record: .free), .init(id: 2, record: .free)]
        var later = Transaction()
        later.removedNodePorts = [Self.port]
        later.services = [.init(id: 1, record: ServiceRecord(.fixture("a/b")))]
        later.backends = [.init(id: 1, record: BackendRecord(.fixture("10.0.0.1:1"), protocol: .tcp, weight: 1))]
        let merged = earlier.followed(by: later)
        #expect(merged.nodePorts == [] && merged.removedNodePorts == [Self.port])
        #expect(merged.removedServices == [2] && merged.services == later.services)
        #expect(merged.backends == [later.backends[0], earlier.backends[1]])
    }

    @Test("the later word on a source range counts, and the order of writing is kept")
    func sourceRanges() {
        let keys = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24"].map { SourceRangeKey(.fixture($0), serviceID: 1) }
        var earlier = Transaction()
        earlier.sourceRanges = [.init(key: keys[2], admission: .deny), .init(key: keys[0], admission: .deny)]
        earlier.removedSourceRanges = [keys[1]]
        var later = Transaction()
        later.sourceRanges = [.init(key: keys[1], admission: .allow), .init(key: keys[0], admission: .allow)]
        later.removedSourceRanges = [keys[2]]
        let merged = earlier.followed(by: later)
        #expect(merged.sourceRanges == later.sourceRanges && merged.removedSourceRanges == [keys[2]])
        let both = earlier.followed(by: earlier)
        #expect(both.sourceRanges == earlier.sourceRanges && both.removedSourceRanges == [keys[1]])
    }

    @Test("words are written in the order of the transactions")
    func slots() {
        var earlier = Transaction()
        earlier.slots.append([1, 2], at: 10)
        var later = Transaction()
        later.slots.append([3], at: 11)
        let merged = earlier.followed(by: later)
        #expect(merged.slots.runs.map(\.word) == [10, 11] && merged.slots.words == [1, 2, 3])
    }

    @Test("words that cannot be written do not pile up, and the later ones count")
    func boundedSlots() {
        var merged = Transaction()
        for round in 0..<UInt64(1000) {
            var later = Transaction()
            later.slots.append([round, 2 * round, 3 * round], at: UInt32(100 + round % 7))
            later.slots.append([round], at: 900)
            merged = merged.followed(by: later)
            #expect(merged.slots.words.count <= 2 * 10 + 4)
        }
        var arena = [UInt64](repeating: .max, count: 1000)
        merged.slots.forEach { word, words in
            for (offset, value) in words.enumerated() { arena[Int(word) + offset] = value }
        }
        // 999 is 5 more than a multiple of seven.
        #expect(Array(arena[100...108]) == [994, 995, 996, 997, 998, 999, 1998, 2997, 2979])
        #expect(arena[900] == 999 && arena[109] == .max && arena[899] == .max)
    }

    @Test("what was lost adds up, unless it serves again")
    func consequences() {
        func stale(_ serving: [String], _ lost: [String]) -> Transaction {
            var transaction = Transaction()
            transaction.staleSockets = [
                StaleSockets(
                    serviceID: 1, protocol: .udp, family: .ipv4, serving: serving.map(AddressAndPort.fixture),
                    lost: lost.map(AddressAndPort.fixture))
            ]
            transaction.lostAffinity = [LostAffinity(serviceID: 1, backendIDs: [UInt32(lost.count)])]
            return transaction
        }
        let merged = stale(["10.0.0.3:1"], ["10.0.0.1:1", "10.0.0.2:1"])
            .followed(by: stale(["10.0.0.2:1"], ["10.0.0.3:1"]))
        #expect(merged.staleSockets.map(\.lost) == [[.fixture("10.0.0.1:1"), .fixture("10.0.0.3:1")]])
        #expect(merged.lostAffinity == [LostAffinity(serviceID: 1, backendIDs: [1, 2])])
    }
}
