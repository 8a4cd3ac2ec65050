// Arrays as memory: what programs see of stores, strides, bounds, and that stores are not torn.

import BPF
import Glibc
import KernelTestSupport
import Testing

@Suite("Mapped array", .enabled(if: canUseKernel))
struct MappedArrayTests {
    private func array<Element: BitwiseCopyable>(
        _ type: Element.Type, _ count: UInt32
    ) throws(BPFError) -> MapDescriptor {
        try MapDescriptor.create(
            .array, name: "t", keySize: 4, valueSize: MemoryLayout<Element>.size, maxEntries: count, flags: 1 << 10)
    }

    @Test("A program reads what was stored in memory")
    func programSees() throws {
        let object = try TestObject.maps.load()
        var words = try MappedArray<UInt64>(try object.map(named: "test_words"))
        var records = try MappedArray<Record>(try object.map(named: "test_records"))
        words.write(3, 1000)
        records.write(5, Record(first: 1, second: 2, third: 3))
        records.write(6, Record(first: 4, second: 5, third: 6))
        #expect(try object.program(named: "read_mapped").testRun(packet: packet).returnValue == 1003)
        #expect(records.read(5) == Record(first: 1, second: 2, third: 3))
        #expect(records.read(6) == Record(first: 4, second: 5, third: 6))
    }

    @Test("Elements of one byte, and of a number of bytes that is no multiple of eight, keep apart")
    func strides() throws {
        let bytes = try array(UInt8.self, 1000)
        var mapped = try MappedArray<UInt8>(bytes)
        mapped.writeAll(from: 10, [1, 2, 3])
        #expect(mapped.read(9..<14) == [0, 1, 2, 3, 0])
        let view = try BPFMap<UInt32, UInt8>(bytes)
        #expect(try view.lookup(11) == 2)
        try view.update(11, 9)
        #expect(mapped.read(11) == 9)
    }

    @Test("A run of elements is stored up to the very end")
    func runs() throws {
        let map = try array(UInt64.self, 1500)
        var mapped = try MappedArray<UInt64>(map)
        #expect(mapped.count == 1500)
        mapped.writeAll(from: 0, (0..<1500).map { UInt64($0) })
        #expect(try BPFMap<UInt32, UInt64>(map).entries().map(\.value) == (0..<1500).map { UInt64($0) })
        mapped.writeAll(from: 1500, [])
    }

    @Test("A window reaches its elements and no others, wherever pages begin")
    func windows() throws {
        let map = try array(Record.self, 1500)
        let all = try MappedArray<Record>(map, access: .readOnly)
        for window in [0..<1, 170..<172, 341..<1500, 1499..<1500] {
            var mapped = try MappedArray<Record>(map, window: window)
            #expect(mapped.count == 1500 && mapped.window == window)
            let records = window.map { Record(first: UInt32($0), second: 7, third: 9) }
            mapped.writeAll(from: window.lowerBound, records)
            #expect(mapped.read(window) == records)
            #expect(all.read(window) == records)
        }
        #expect(all.read(100).second == 0)
        for window in [0..<0, 1499..<1501, 2000..<2001] {
            let error = failure { () throws(BPFError) in _ = try MappedArray<Record>(map, window: window) }
            #expect(error?.errno == EINVAL)
        }
    }

    @Test("A read-only mapping follows what others store")
    func readOnly() throws {
        let map = try array(UInt64.self, 4)
        var writer = try MappedArray<UInt64>(map)
        let reader = try MappedArray<UInt64>(map, access: .readOnly)
        writer.write(2, 42)
        #expect(reader.read(2) == 42)
    }

    @Test("Only mappable arrays of the right size are mapped")
    func refusals() throws {
        let plain = try MapDescriptor.create(.array, name: "t", keySize: 4, valueSize: 8, maxEntries: 4)
        #expect(failure { () throws(BPFError) in _ = try MappedArray<UInt64>(plain) } != nil)
        let words = try array(UInt64.self, 4)
        let error = failure { () throws(BPFError) in _ = try MappedArray<UInt32>(words) }
        #expect(try #require(error).description.contains("its value has 8 bytes, and UInt32 has 4"))
    }

    @Test("A word read while it is stored is the old one or the new one")
    func untorn() async throws {
        let map = try array(UInt64.self, 1)
        let id = try map.info().id
        let rounds = 200_000
        async let writer: Void = onOwnThread {
            var mapped = try MappedArray<UInt64>(try MapDescriptor.open(id: id))
            for round in 0..<rounds { mapped.write(0, round.isMultiple(of: 2) ? .max : 0) }
        }
        let reader = try MappedArray<UInt64>(map, access: .readOnly)
        var torn = 0
        for _ in 0..<rounds where ![0, UInt64.max].contains(reader.read(0)) { torn += 1 }
        try await writer
        #expect(torn == 0)
    }

    @Test("An index outside the array ends the process before it touches memory")
    func bounds() async {
        await #expect(processExitsWith: .failure) {
            let map = try MapDescriptor.create(
                .array, name: "t", keySize: 4, valueSize: 8, maxEntries: 4, flags: 1 << 10)
            var mapped = try MappedArray<UInt64>(map)
            mapped.write(4, 1)
        }
    }
    @Test("An index outside the window ends the process, though the array has it")
    func windowBounds() async {
        await #expect(processExitsWith: .failure) {
            let map = try MapDescriptor.create(
                .array, name: "t", keySize: 4, valueSize: 8, maxEntries: 100, flags: 1 << 10)
            _ = try MappedArray<UInt64>(map, window: 10..<20).read(20)
        }
    }
}
