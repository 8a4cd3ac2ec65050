// Services written straight into a datapath's maps, without an agent: what the hooks look up while they are timed.

import CDatapathABI
import Datapath
import DatapathImage
import NetworkTypes

/// Which frontends there are, and the addresses to dial them by.
struct ServiceFill {
    static let endpoints = 5
    /// Local addresses of the worker's namespace; every backend has one of them.
    static let backendAddresses = (1...endpoints).map { "10.0.1.\($0)" }
    /// Behind a route that refuses.
    static let unroutedAddresses = (1...endpoints).map { "198.18.0.\($0)" }
    static let backendPort: UInt16 = 8080
    static let port: UInt16 = 80
    static let affinityPort: UInt16 = 81
    static let maglevPort: UInt16 = 82
    static let unroutedPort: UInt16 = 83
    /// The virtual address of the frontends with a trait of their own.
    static let specialAddress = "10.95.0.1"
    /// Prime, and at least 100 slots for each of five backends.
    private static let tableSlots: UInt32 = 509

    /// The virtual address of a plain service.
    static func address(_ index: Int) -> String {
        "10.\(96 + index / 65536).\(index / 256 % 256).\(index % 256)"
    }

    private let datapath: Datapath
    private var nextID: UInt32 = 1
    private var nextBackend: UInt32 = 1
    private var nextWord: UInt32 = 0
    private var backends: [Transaction.BackendWrite] = []
    private var slots = SlotWrites()
    private var frontends: [Transaction.FrontendUpdate] = []

    private init(_ datapath: Datapath) {
        self.datapath = datapath
    }

    /// Writes `count` plain services of five backends each (a frontend for UDP, one for TCP, the wildcard of the
    /// address), and one more address whose ports have session affinity, Maglev, and backends without a route.
    static func write(_ count: Int, to datapath: Datapath) throws {
        var fill = ServiceFill(datapath)
        for index in 0..<count {
            fill.add(address(index), port, fill.choice(backendAddresses))
            fill.addWildcard(address(index))
        }
        fill.add(specialAddress, affinityPort, fill.choice(backendAddresses)) { $0.affinity_timeout_s = 10800 }
        fill.add(specialAddress, maglevPort, fill.maglevChoice()) { record in
            record.flags = UInt16(DP_FRONTEND_MAGLEV.rawValue)
        }
        fill.add(specialAddress, unroutedPort, fill.choice(unroutedAddresses))
        try datapath.writeBackends(fill.backends)
        try datapath.writeSlots(fill.slots)
        try datapath.updateFrontends(fill.frontends)
    }

    private mutating func add(
        _ address: String, _ port: UInt16, _ choice: dp_choice, _ adjust: (inout dp_frontend) -> Void = { _ in }
    ) {
        guard let address = IPAddress(address) else { return }
        for protocolKind in [TransportProtocol.udp, .tcp] {
            var record = dp_frontend()
            record.service_id = nextID
            record.kind = UInt8(DP_FRONTEND_CLUSTER_IP.rawValue)
            record.internal = choice
            record.external = choice
            adjust(&record)
            let key = FrontendKey(AddressAndPort(address: address, port: port), protocol: protocolKind)
            frontends.append(.init(key: key, record: FrontendRecord(record)))
            nextID += 1
        }
    }

    private mutating func addWildcard(_ address: String) {
        guard let address = IPAddress(address) else { return }
        var record = dp_frontend()
        record.kind = UInt8(DP_FRONTEND_WILDCARD.rawValue)
        frontends.append(.init(key: FrontendKey(wildcard: address), record: FrontendRecord(record)))
    }

    /// A set of fresh backends.
    private mutating func choice(_ addresses: [String]) -> dp_choice {
        let ids = addresses.indices.map { nextBackend + UInt32($0) }
        for (id, address) in zip(ids, addresses.compactMap { IPAddress($0) }) {
            let place = AddressAndPort(address: address, port: Self.backendPort)
            backends.append(.init(id: id, record: BackendRecord(place, protocol: .tcp, weight: 1)))
        }
        nextBackend += UInt32(addresses.count)
        let words = stride(from: 0, to: ids.count, by: 2).map { low in
            UInt64(ids[low]) | (low + 1 < ids.count ? UInt64(ids[low + 1]) << 32 : 0)
        }
        let word = place(words)
        return dp_choice(
            set_word: word, set_count: UInt32(ids.count), table_word: 0, table_slots: 0, table_width: 0,
            action: UInt8(DP_ACTION_FORWARD.rawValue), pad: 0)
    }

    /// The same with a table. Its content is not Maglev's, which makes no difference to the cost of reading it.
    private mutating func maglevChoice() -> dp_choice {
        var choice = choice(Self.backendAddresses)
        let words = stride(from: 0, to: Int(Self.tableSlots), by: 8).map { first in
            (0..<8).reduce(UInt64(0)) { $0 | UInt64((first + $1) % Self.endpoints) << (8 * $1) }
        }
        choice.table_word = place(words)
        choice.table_slots = Self.tableSlots
        choice.table_width = 1
        return choice
    }

    private mutating func place(_ words: [UInt64]) -> UInt32 {
        let word = nextWord
        slots.append(words, at: word)
        nextWord += UInt32(words.count)
        return word
    }
}
