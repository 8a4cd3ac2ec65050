// The Maglev table of a backend set: consistent hashing with equal shares (Eisenbud et al., NSDI 2016, 3.4), extended
// by weights. A pure function of addresses and weights, so every node and every run fills the same table. How large the
// table is, is in MaglevSize.swift; how it is stored, in DatapathImage.

package import NetworkTypes

package struct MaglevTable: Hashable, Sendable {
    /// One backend as the table sees it. The port has no part in it, so that the many sets over the same endpoints
    /// share one table.
    package struct Member: Hashable, Sendable {
        package var address: IPAddress
        /// Relative share, at least 1.
        package var weight: UInt32

        package init(address: IPAddress, weight: UInt32 = 1) {
            self.address = address
            self.weight = max(weight, 1)
        }
    }

    /// The same members with their weights over the greatest common divisor: sets that differ in nothing else have the
    /// same table.
    package static func reduced(_ members: [Member]) -> [Member] {
        let divisor = members.reduce(0) { MaglevSize.greatestCommonDivisor($0, $1.weight) }
        guard divisor > 1 else { return members }
        return members.map { Member(address: $0.address, weight: $0.weight / divisor) }
    }

    /// For each slot the position of its backend in the set that the table was made from. Their number is prime.
    package let positions: [UInt32]

    /// Fills the table of a set, in the time of about (slots x ln slots) steps. A set in another order gives the same
    /// backend for each slot, as long as ports of one address keep their order. An empty set has an empty table.
    package init(_ members: [Member]) {
        guard !members.isEmpty else {
            positions = []
            return
        }
        let size = MaglevSize.slots(weights: members.map(\.weight))
        var positions = [UInt32](repeating: MaglevWalks.free, count: Int(size))
        var walks = MaglevWalks(members: members, slots: size)
        var span = positions.mutableSpan
        walks.fill(&span)
        self.positions = positions
    }
}

/// Each member walks its own permutation of the slots and takes the first free one whenever it is its turn.
private struct MaglevWalks {
    static let free = UInt32.max

    private let slots: UInt32
    /// Positions in the set, ordered by address: the order of the turns.
    private let order: [UInt32]
    /// In the order of the turns: where the member looks next, how far it moves on, what it weighs.
    private var cursors: [UInt32] = []
    private var skips: [UInt32] = []
    private let weights: [UInt64]

    init(members: [MaglevTable.Member], slots: UInt32) {
        let sorted = members.indices.sorted {
            (members[$0].address, $0) < (members[$1].address, $1)
        }
        self.slots = slots
        order = sorted.map { UInt32($0) }
        weights = sorted.map { UInt64(members[$0].weight) }
        cursors.reserveCapacity(sorted.count)
        skips.reserveCapacity(sorted.count)
        var occurrence: UInt64 = 0
        for (turn, position) in sorted.enumerated() {
            let address = members[position].address
            let repeated = turn > 0 && members[sorted[turn - 1]].address == address
            occurrence = repeated ? occurrence + 1 : 0
            let hash = Self.hash(address, occurrence: occurrence)
            cursors.append(UInt32(hash.offset % UInt64(slots)))
            skips.append(UInt32(hash.skip % UInt64(slots - 1)) + 1)
        }
    }

    /// Fills a table of `slots` free slots.
    mutating func fill(_ table: inout MutableSpan<UInt32>) {
        guard let first = weights.first, !weights.allSatisfy({ $0 == first }) else { return fillEqually(&table) }
        fillByWeight(&table)
    }

    /// One turn for each member in each round: shares differ by at most one slot.
    private mutating func fillEqually(_ table: inout MutableSpan<UInt32>) {
        var left = Int(slots)
        while left > 0 {
            for turn in order.indices.prefix(left) { takeTurn(turn, &table) }
            left -= min(order.count, left)
        }
    }

    /// As many turns in a round as there are members, on average, each member's in proportion to its weight; what is
    /// left of a turn is carried over. The first round gives everybody a turn, so that the lightest has a slot.
    private mutating func fillByWeight(_ table: inout MutableSpan<UInt32>) {
        let sum = weights.reduce(0, +)
        var credit = [UInt64](repeating: sum - 1, count: weights.count)
        var left = slots
        while left > 0 {
            for turn in order.indices {
                credit[turn] += weights[turn] * UInt64(order.count)
                while credit[turn] >= sum {
                    credit[turn] -= sum
                    takeTurn(turn, &table)
                    left -= 1
                    if left == 0 { return }
                }
            }
        }
    }

    private mutating func takeTurn(_ turn: Int, _ table: inout MutableSpan<UInt32>) {
        let skip = skips[turn]
        var slot = cursors[turn]
        while table[Int(slot)] != Self.free { slot = step(slot, by: skip) }
        table[Int(slot)] = order[turn]
        cursors[turn] = step(slot, by: skip)
    }

    /// `skip` is less than the number of slots, which is prime: the walk meets every slot once.
    private func step(_ slot: UInt32, by skip: UInt32) -> UInt32 {
        let next = slot + skip
        return next < slots ? next : next - slots
    }

    /// Two independent 64-bit hashes. They are part of the contract between nodes: a change moves every flow.
    private static func hash(_ address: IPAddress, occurrence: UInt64) -> (offset: UInt64, skip: UInt64) {
        let offset = mix(mix(mix(occurrence &+ 0x9e37_79b9_7f4a_7c15) ^ address.high) ^ address.low)
        return (offset, mix(offset &+ 0x9e37_79b9_7f4a_7c15))
    }

    /// A bijection of 64 bits in which each input bit changes each output bit with probability of about one half.
    private static func mix(_ value: UInt64) -> UInt64 {
        var bits = value
        bits = (bits ^ (bits >> 32)) &* 0xd6e8_feb8_6659_fd93
        bits = (bits ^ (bits >> 32)) &* 0xd6e8_feb8_6659_fd93
        return bits ^ (bits >> 32)
    }
}
