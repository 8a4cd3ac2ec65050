// The arena: nothing is given away twice, neighbours are joined, what is in use can be restored.

import Reconciler
import Testing

@testable import DatapathImage

@Suite struct ArenaAllocatorTests {
    @Test("ranges come from the start of an empty arena, one after the other")
    func sequential() {
        var arena = ArenaAllocator(capacity: 100)
        #expect(arena.allocate(3) == 0..<3)
        #expect(arena.allocate(5) == 3..<8)
        #expect(arena.used == 8)
    }

    @Test("an empty range takes no space")
    func empty() {
        var arena = ArenaAllocator(capacity: 10)
        #expect(arena.allocate(0)?.isEmpty == true)
        #expect(arena.allocate(10) == 0..<10)
        #expect(arena.allocate(1) == nil)
    }

    @Test(
        "freed neighbours are joined, in whatever order they are freed",
        arguments: [[0, 1, 2], [2, 0, 1], [1, 2, 0]])
    func coalescing(order: [Int]) {
        var arena = ArenaAllocator(capacity: 30)
        let ranges = (0..<3).compactMap { _ in arena.allocate(10) }
        #expect(arena.allocate(1) == nil)
        for index in order { arena.free(ranges[index]) }
        #expect(arena.allocate(30) == 0..<30)
    }

    @Test("a range that is long enough is found among shorter ones of its class, before the arena counts as full")
    func fragmented() {
        var arena = ArenaAllocator(capacity: 1000)
        // 100 and 103 words are of one size class; the shorter range has the lower address.
        let short = arena.allocate(100)
        _ = arena.allocate(1)
        let long = arena.allocate(103)
        _ = arena.allocate(1000 - 100 - 1 - 103)
        arena.free(short ?? 0..<0)
        arena.free(long ?? 0..<0)
        #expect(arena.allocate(103) == 101..<204)
        #expect(arena.allocate(100) == 0..<100)
    }

    @Test("freed space near the start is used before the rest of the arena")
    func compact() {
        var arena = ArenaAllocator(capacity: 1_000_000)
        let ranges = (0..<100).compactMap { _ in arena.allocate(50) }
        for range in ranges where range.lowerBound % 100 == 0 { arena.free(range) }
        for _ in 0..<50 { #expect((arena.allocate(50)?.upperBound ?? .max) <= 5000) }
    }

    @Test("occupied ranges are not given away, everything else is")
    func restored() {
        var arena = ArenaAllocator(capacity: 20, occupied: [2..<4, 10..<11])
        #expect(arena.used == 3)
        #expect(arena.allocate(9) == 11..<20)
        #expect(arena.allocate(6) == 4..<10)
        #expect(arena.allocate(2) == 0..<2)
        #expect(arena.allocate(1) == nil)
        arena.free(2..<4)
        #expect(arena.allocate(2) == 2..<4)
    }

    @Test("over a long life, no word has two owners and none is lost", arguments: [1, 2, 3])
    func randomized(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var arena = ArenaAllocator(capacity: 5000)
        var owned: [Range<UInt32>] = []
        var isOwned = [Bool](repeating: false, count: 5000)
        for _ in 0..<20_000 {
            if Bool.random(using: &random) || owned.isEmpty {
                let count = Int.random(in: 1...(Int.random(in: 0..<10, using: &random) == 0 ? 900 : 40), using: &random)
                guard let range = arena.allocate(count) else { continue }
                #expect(range.count == count)
                #expect(range.allSatisfy { !isOwned[Int($0)] })
                for word in range { isOwned[Int(word)] = true }
                owned.append(range)
            } else {
                let range = owned.remove(at: Int.random(in: owned.indices, using: &random))
                for word in range { isOwned[Int(word)] = false }
                arena.free(range)
            }
        }
        #expect(arena.used == isOwned.count { $0 })
        for range in owned { arena.free(range) }
        #expect(arena.used == 0)
        #expect(arena.allocate(5000) == 0..<5000)
    }
}
