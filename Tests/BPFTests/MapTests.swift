// Typed maps against the kernel: single elements, batches, walks, sizes, and what programs see of it.

import BPF
import KernelTestSupport
import Testing

@Suite("BPF map", .enabled(if: canUseKernel))
struct MapTests {
    private func hash(entries: UInt32 = 1000) throws(BPFError) -> BPFMap<UInt32, UInt64> {
        try BPFMap(try MapDescriptor.create(.hash, name: "t", keySize: 4, valueSize: 8, maxEntries: entries))
    }

    @Test("A program sees what was written, and what it writes is read back")
    func programAndUserSpaceShare() throws {
        let object = try TestObject.maps.load()
        let hash = try BPFMap<UInt32, Record>(try object.map(named: "test_hash"))
        let array = try BPFMap<UInt32, UInt64>(try object.map(named: "test_array"))
        let counters = try PerCPUMap<UInt32, Record>(try object.map(named: "test_percpu"))
        try hash.update(7, Record(first: 10, second: 20, third: 30))
        try array.update(1, 5)
        let run = try object.program(named: "write_maps").testRun(packet: packet, repeat: 3)
        #expect(run.returnValue == 2)
        #expect(try hash.lookup(7) == Record(first: 13, second: 35, third: 30))
        let perCPU = try #require(try counters.lookup(0))
        #expect(perCPU.count == counters.cpuCount)
        #expect(perCPU.map(\.third).reduce(0, +) == 3)
    }

    @Test("A missing element is nil, and deleting it is no error")
    func missing() throws {
        let map = try hash()
        #expect(try map.lookup(1) == nil)
        #expect(try map.delete(1) == false)
        try map.update(1, 2)
        #expect(try map.delete(1))
        #expect(try map.lookup(1) == nil)
    }

    @Test("Update modes forbid what they say")
    func modes() throws {
        let map = try hash()
        #expect(try #require(failure { () throws(BPFError) in try map.update(1, 1, mode: .exist) }).isNotFound)
        try map.update(1, 1, mode: .noExist)
        #expect(try #require(failure { () throws(BPFError) in try map.update(1, 2, mode: .noExist) }).isExists)
        try map.update(1, 3, mode: .exist)
        #expect(try map.lookup(1) == 3)
    }

    @Test("A full map says that it is full", arguments: [true, false])
    func full(inBatch: Bool) throws {
        let map = try hash(entries: 4)
        let error = failure { () throws(BPFError) in
            if inBatch {
                try map.update(keys: Array(0..<5), values: Array(0..<5))
            } else {
                for key in 0..<5 { try map.update(UInt32(key), 0) }
            }
        }
        #expect(try #require(error).isFull)
        #expect(try map.count() == 4)
    }

    @Test("A batch writes all its elements, and a walk finds them all", arguments: [1, 3, 64, 100_000])
    func batches(batchSize: Int) throws {
        let map = try hash()
        let keys = (0..<1000).map { UInt32($0) }
        try map.update(keys: keys, values: keys.map { UInt64($0) * 3 })
        var seen: [UInt32: UInt64] = [:]
        try map.forEach(batchSize: batchSize) { seen[$0] = $1 }
        #expect(seen.count == 1000)
        #expect(seen.allSatisfy { $0.value == UInt64($0.key) * 3 })
        #expect(try map.count() == 1000)
    }

    @Test("A batched delete passes over what is missing")
    func batchedDelete() throws {
        let map = try hash()
        let even = (0..<100).map { UInt32($0) * 2 }
        try map.update(keys: even, values: even.map { UInt64($0) })
        #expect(try map.delete(keys: (0..<100).map { UInt32($0) }) == 50)
        #expect(try map.count() == 50)
        #expect(try map.delete(keys: []) == 0)
        #expect(try map.delete(keys: [1, 3, 5]) == 0)
    }

    @Test("Keys and values of different number are refused")
    func unequalBatch() throws {
        let map = try hash()
        let error = try #require(failure { () throws(BPFError) in try map.update(keys: [1, 2], values: [1]) })
        #expect(error.description.contains("2 keys came with 1 values"))
    }

    @Test("A map of a kind without batches is written, walked and emptied all the same")
    func withoutBatches() throws {
        // The kernel has no batch operations for DEVMAP_HASH, and its elements can be deleted and looked up.
        let map = try BPFMap<UInt32, UInt32>(
            try MapDescriptor.create(.deviceHash, name: "t", keySize: 4, valueSize: 4, maxEntries: 8))
        try map.update(keys: [5, 6, 7], values: [1, 1, 1])
        #expect(try map.entries().map(\.key).sorted() == [5, 6, 7])
        #expect(try map.delete(keys: [5, 9, 7]) == 2)
        #expect(try map.entries().map(\.key) == [6])
        #expect(try map.count() == 1)
    }

    @Test("Every index of an array is an element")
    func arrayWalk() throws {
        let map = try BPFMap<UInt32, UInt64>(
            try MapDescriptor.create(.array, name: "t", keySize: 4, valueSize: 8, maxEntries: 10))
        try map.update(keys: [2, 3], values: [20, 30])
        #expect(try map.entries().map(\.value) == [0, 0, 20, 30, 0, 0, 0, 0, 0, 0])
        #expect(try #require(failure { () throws(BPFError) in try map.update(10, 1) }).isFull)
    }

    @Test("An LRU map forgets instead of being full")
    func lru() throws {
        let object = try TestObject.maps.load()
        let map = try BPFMap<UInt32, UInt32>(try object.map(named: "test_lru"))
        for key in 0..<2000 { try map.update(UInt32(key), 1) }
        #expect(try (1...256).contains(map.count()))
        #expect(try map.lookup(1999) == 1)
    }

    @Test("Per-CPU values are written and read by CPU")
    func perCPU() throws {
        let map = try PerCPUMap<UInt32, Record>(
            try MapDescriptor.create(.perCPUHash, name: "t", keySize: 4, valueSize: 12, maxEntries: 4))
        let values = (0..<map.cpuCount).map { Record(first: UInt32($0), second: 2, third: 3) }
        #expect(try map.lookup(9) == nil)
        try map.update(9, values)
        #expect(try map.lookup(9) == values)
        #expect(failure { () throws(BPFError) in try map.update(9, values + values) } != nil)
        #expect(try map.delete(9))
        #expect(try map.delete(9) == false)
    }

    @Test("A view of the wrong size or kind is refused with both sizes")
    func wrongViews() throws {
        let object = try TestObject.maps.load()
        let wrongKey = failure { () throws(BPFError) in
            _ = try BPFMap<UInt64, UInt64>(try object.map(named: "test_array"))
        }
        #expect(try #require(wrongKey).description.contains("its key has 4 bytes, and UInt64 has 8"))
        let wrongValue = failure { () throws(BPFError) in
            _ = try BPFMap<UInt32, UInt32>(try object.map(named: "test_array"))
        }
        #expect(try #require(wrongValue).description.contains("its value has 8 bytes, and UInt32 has 4"))
        let perCPU = failure { () throws(BPFError) in
            _ = try BPFMap<UInt32, Record>(try object.map(named: "test_percpu"))
        }
        #expect(try #require(perCPU).description.contains("a value for each CPU"))
        let plain = failure { () throws(BPFError) in
            _ = try PerCPUMap<UInt32, UInt64>(try object.map(named: "test_array"))
        }
        #expect(try #require(plain).description.contains("one value for all CPUs"))
    }

    @Test("A type with padding at its end is no value")
    func tailPadding() throws {
        struct Padded: BitwiseCopyable { var wide: UInt32, narrow: UInt8 }
        let error = failure { () throws(BPFError) in
            _ = try BPFMap<UInt32, Padded>(
                try MapDescriptor.create(.hash, name: "t", keySize: 4, valueSize: 5, maxEntries: 4))
        }
        #expect(error != nil)
    }

    @Test("The kernel's facts about a map are reported")
    func info() throws {
        let map = try MapDescriptor.create(.hash, name: "some_name", keySize: 4, valueSize: 8, maxEntries: 77)
        let info = try map.info()
        #expect(info.name == "some_name")
        #expect((info.type, info.keySize, info.valueSize, info.maxEntries) == (.hash, 4, 8, 77))
        #expect(try #require(info.memoryBytes) > 77 * 12)
        #expect(try MapDescriptor.open(id: info.id).info() == info)
        #expect(try map.duplicate().info() == info)
    }
}
