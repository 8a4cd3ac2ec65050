// What a Maglev table promises: equal shares, shares by weight, little movement, independence of order and of ports.

import NetworkTypes
import Testing

@testable import LoadBalancing

@Suite struct MaglevTableTests {
    private static func addresses(_ count: Int, from first: UInt32 = 0x0a00_0001) -> [IPAddress] {
        (0..<UInt32(count)).map { IPAddress(ipv4: first + $0) }
    }

    private static func table(_ addresses: [IPAddress]) -> MaglevTable {
        MaglevTable(addresses.map { MaglevTable.Member(address: $0) })
    }

    private static func shares(_ table: MaglevTable, of count: Int) -> [Int] {
        table.positions.reduce(into: [Int](repeating: 0, count: count)) { $0[Int($1)] += 1 }
    }

    @Test("shares of equal backends differ by less than one percent", arguments: [2, 3, 4, 5, 10, 64, 100, 128, 1000])
    func equalShares(count: Int) throws {
        let table = Self.table(Self.addresses(count))
        let shares = Self.shares(table, of: count)
        let fair = Double(table.positions.count) / Double(count)
        #expect(try #require(shares.max()) - #require(shares.min()) <= 1)
        #expect(Double(try #require(shares.max())) / fair < 1.01)
        #expect(Double(try #require(shares.min())) / fair > 0.99)
    }

    @Test("removing one of 100 backends moves at most 1.1 percent of the others' slots")
    func disruption() {
        let all = Self.addresses(100)
        let before = Self.table(all)
        var moved = 0
        var others = 0
        for gone in all.indices {
            let rest = all.indices.filter { $0 != gone }
            let after = Self.table(rest.map { all[$0] })
            #expect(after.positions.count == before.positions.count)
            for (old, new) in zip(before.positions, after.positions) where Int(old) != gone {
                others += 1
                if rest[Int(new)] != Int(old) { moved += 1 }
            }
        }
        #expect(Double(moved) / Double(others) <= 0.011)
    }

    private struct WeightCase: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var weights: [UInt32]
        /// Allowed error of each share, relative to the whole table.
        var tolerance: Double
    }

    @Test(
        "weights give shares in proportion",
        arguments: [
            WeightCase(testDescription: "1:2:3", weights: [1, 2, 3], tolerance: 0.005),
            WeightCase(testDescription: "100:100:50", weights: [100, 100, 50], tolerance: 0.005),
            WeightCase(testDescription: "90:10", weights: [90, 10], tolerance: 0.005),
            WeightCase(testDescription: "1000:1", weights: [1000, 1], tolerance: 0.001),
            WeightCase(
                testDescription: "one heavy of fifty", weights: [50] + Array(repeating: 1, count: 49), tolerance: 0.005),
        ])
    private func weightedShares(_ given: WeightCase) {
        let members = zip(Self.addresses(given.weights.count), given.weights).map {
            MaglevTable.Member(address: $0, weight: $1)
        }
        let table = MaglevTable(members)
        let shares = Self.shares(table, of: members.count)
        let sum = given.weights.reduce(0) { $0 + Double($1) }
        for (share, weight) in zip(shares, given.weights) {
            let error = Double(share) / Double(table.positions.count) - Double(weight) / sum
            #expect(abs(error) <= given.tolerance, "weight \(weight) has \(share) of \(table.positions.count)")
            #expect(share > 0)
        }
    }

    @Test("the lightest backend has a slot, however light it is")
    func lightest() {
        let members = zip(Self.addresses(3), [UInt32.max, 1, UInt32.max - 1]).map {
            MaglevTable.Member(address: $0, weight: $1)
        }
        #expect(Self.shares(MaglevTable(members), of: 3)[1] > 0)
    }

    @Test("only the ratio of the weights counts")
    func scale() {
        let small = zip(Self.addresses(3), [UInt32(1), 2, 3]).map { MaglevTable.Member(address: $0, weight: $1) }
        let large = small.map { MaglevTable.Member(address: $0.address, weight: $0.weight * 10) }
        #expect(MaglevTable(small) == MaglevTable(large))
        #expect(Self.table(Self.addresses(5)) == MaglevTable(Self.addresses(5).map { .init(address: $0, weight: 7) }))
    }

    @Test("the order of the set does not change which backend a slot has", arguments: [[UInt32(1)], [1, 2, 5]])
    func order(weights: [UInt32]) {
        let members = Self.addresses(20).enumerated().map {
            MaglevTable.Member(address: $1, weight: weights[$0 % weights.count])
        }
        var generator = SystemRandomNumberGenerator()
        let shuffled = members.shuffled(using: &generator)
        let straight = MaglevTable(members).positions.map { members[Int($0)].address }
        let other = MaglevTable(shuffled).positions.map { shuffled[Int($0)].address }
        #expect(straight == other)
    }

    @Test("several ports of one address have equal shares, spread apart")
    func repeatedAddress() throws {
        let address = IPAddress(ipv4: 0x0a00_0001)
        let table = Self.table([address, address, address])
        let shares = Self.shares(table, of: 3)
        #expect(try #require(shares.max()) - #require(shares.min()) <= 1)
    }

    @Test(
        "neighbouring numbers of backends share a size",
        arguments: [(3, 4), (10, 13), (20, 25), (100, 125), (99, 100)])
    func stableSize(fewer: Int, more: Int) {
        #expect(
            MaglevSize.slots(weights: Array(repeating: 1, count: fewer))
                == MaglevSize.slots(weights: Array(repeating: 1, count: more)))
    }

    @Test("sizes are primes, ascending, with at least 100 slots for each backend")
    func sizes() {
        for step in MaglevSize.steps {
            let size = step.slots
            #expect((2..<size).prefix { $0 * $0 <= size }.allSatisfy { size % $0 != 0 }, "\(size)")
            #expect(UInt64(size) >= 100 * step.units)
        }
        for (small, large) in zip(MaglevSize.steps, MaglevSize.steps.dropFirst()) {
            #expect(small.slots < large.slots && small.units < large.units)
        }
    }

    @Test("sizes are capped, for many backends and for uneven weights")
    func cap() {
        #expect(MaglevSize.slots(weights: Array(repeating: 1, count: 100_000)) == 1_638_431)
        #expect(MaglevSize.slots(weights: [1, 1_000_000]) == 3203)
    }

    @Test("an empty set has an empty table, a single backend all slots")
    func edges() {
        #expect(MaglevTable([]).positions.isEmpty)
        #expect(Set(Self.table(Self.addresses(1)).positions) == [0])
    }

    /// Nodes of different versions must agree, so the hash and the order of turns are part of the contract.
    @Test("the table is the same on every node and in every version")
    func golden() {
        let positions = Self.table(Self.addresses(3)).positions
        let digest = positions.reduce(UInt64(14_695_981_039_346_656_037)) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        #expect(positions.prefix(12) == [1, 1, 2, 2, 0, 2, 0, 1, 2, 2, 1, 2])
        #expect(digest == 11_049_615_597_089_867_969)
    }
}
