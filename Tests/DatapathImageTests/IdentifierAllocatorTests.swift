// Identifiers: dense from 1, late to come round again.

import Testing

@testable import DatapathImage

@Suite struct IdentifierAllocatorTests {
    @Test("identifiers count up from 1")
    func dense() {
        var allocator = IdentifierAllocator(highest: 10)
        #expect((1...3).map { _ in allocator.allocate() } == [1, 2, 3])
        #expect(allocator.used == 3)
    }

    @Test("a freed identifier is not the next one given away")
    func late() {
        var allocator = IdentifierAllocator(highest: 10_000)
        let first = (0..<100).compactMap { _ in allocator.allocate() }
        #expect(first.count == 100)
        allocator.free(5)
        let next = (0..<900).compactMap { _ in allocator.allocate() }
        #expect(!next.contains(5))
    }

    @Test("identifiers stay within twice the number in use, so that arrays stay short")
    func compact() {
        var allocator = IdentifierAllocator(highest: 1_000_000)
        var held = (0..<600).compactMap { _ in allocator.allocate() }
        for _ in 0..<10_000 {
            allocator.free(held.removeFirst())
            if let identifier = allocator.allocate() { held.append(identifier) }
        }
        #expect(held.allSatisfy { $0 <= 1200 })
        #expect(Set(held).count == 600)
    }

    @Test("when all are in use there is none, and the one that is freed is found")
    func exhausted() {
        var allocator = IdentifierAllocator(highest: 130)
        #expect((0..<130).compactMap { _ in allocator.allocate() }.count == 130)
        #expect(allocator.allocate() == nil)
        allocator.free(128)
        #expect(allocator.allocate() == 128)
        #expect(allocator.allocate() == nil)
    }

    @Test("restored identifiers are in use; 0 and those beyond the highest are ignored")
    func restored() {
        var allocator = IdentifierAllocator(highest: 4, occupied: [0, 2, 4, 5, 2])
        #expect(allocator.used == 2)
        #expect((0..<2).compactMap { _ in allocator.allocate() } == [1, 3])
        #expect(allocator.allocate() == nil)
    }

    @Test("without room for any identifier there is none", arguments: [0, -1])
    func none(highest: Int) {
        var allocator = IdentifierAllocator(highest: highest)
        #expect(allocator.allocate() == nil)
    }
}
