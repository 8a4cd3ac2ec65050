// Cluster IPs and node ports that are taken and free.

import NetworkTypes

struct AddressPool {
    private let ranges: [CIDR]
    private var taken: Set<IPAddress> = []
    private var counters: [UInt64]

    init(_ ranges: [String]) {
        self.ranges = ranges.compactMap { CIDR($0) }
        counters = self.ranges.map { _ in 0 }
    }

    /// The family of the first range: what a service gets that asks for none.
    var families: [AddressFamily] { ranges.map(\.family) }

    mutating func take(_ address: IPAddress) -> Bool {
        taken.insert(address).inserted
    }

    mutating func release(_ address: IPAddress) {
        taken.remove(address)
    }

    func contains(_ address: IPAddress) -> Bool {
        taken.contains(address)
    }

    /// The next free address of a family, neither the first nor the last of its range; nil when none is left.
    mutating func allocate(_ family: AddressFamily) -> IPAddress? {
        guard let index = ranges.firstIndex(where: { $0.family == family }) else { return nil }
        let range = ranges[index]
        let hostBits = min(32, family.bitWidth - range.prefixLength)
        let size = UInt64(1) << UInt64(hostBits)
        for _ in 1..<size {
            counters[index] = (counters[index] + 1) % size
            if counters[index] == 0 || (counters[index] == size - 1 && family == .ipv4) { continue }
            let address = IPAddress(high: range.address.high, low: range.address.low + counters[index])
            if taken.insert(address).inserted { return address }
        }
        return nil
    }
}

struct PortPool {
    private let range: ClosedRange<Int64>
    private var taken: [Int64: Set<String>] = [:]
    private var next: Int64

    init(_ range: ClosedRange<Int64>) {
        self.range = range
        next = range.lowerBound
    }

    func contains(_ port: Int64, _ protocolName: String) -> Bool {
        taken[port]?.contains(protocolName) ?? false
    }

    func allows(_ port: Int64) -> Bool { range.contains(port) }

    mutating func take(_ port: Int64, _ protocolName: String) {
        taken[port, default: []].insert(protocolName)
    }

    mutating func release(_ port: Int64, _ protocolName: String) {
        taken[port]?.remove(protocolName)
        if taken[port]?.isEmpty == true { taken[port] = nil }
    }

    /// A port that nobody has for any protocol; nil when none is left.
    mutating func allocate(_ protocolName: String) -> Int64? {
        for _ in range {
            let port = next
            next = next == range.upperBound ? range.lowerBound : next + 1
            if taken[port] == nil {
                take(port, protocolName)
                return port
            }
        }
        return nil
    }
}
