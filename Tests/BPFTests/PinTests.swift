// Pins, the BPF file system, and the replacement of pins.

import BPF
import Glibc
import KernelTestSupport
import Testing

@Suite("Pins", .enabled(if: canUseKernel))
struct PinTests {
    @Test("A pinned map is opened again with its elements")
    func pinnedMap() throws {
        let files = try ScratchBPFFileSystem()
        let path = files.path + "/map"
        do {
            let map = try BPFMap<UInt32, UInt64>(
                try MapDescriptor.create(.hash, name: "t", keySize: 4, valueSize: 8, maxEntries: 4))
            try map.update(1, 2)
            try map.descriptor.pin(at: path)
            #expect(try #require(failure { () throws(BPFError) in try map.descriptor.pin(at: path) }).isExists)
        }
        #expect(try BPFMap<UInt32, UInt64>.open(pinned: path).lookup(1) == 2)
    }

    @Test("A pin of another kind is refused, whatever is asked for")
    func wrongKind() throws {
        let files = try ScratchBPFFileSystem()
        let object = try TestObject.maps.load()
        let (map, program) = (files.path + "/map", files.path + "/program")
        try object.map(named: "test_hash").pin(at: map)
        try object.program(named: "reflect").pin(at: program)
        #expect(failure { () throws(BPFError) in _ = try BPFProgram.open(pinned: map) } != nil)
        #expect(failure { () throws(BPFError) in _ = try BPFLink.open(pinned: map) } != nil)
        #expect(failure { () throws(BPFError) in _ = try MapDescriptor.open(pinned: program) } != nil)
        #expect(failure { () throws(BPFError) in _ = try BPFLink.open(pinned: program) } != nil)
        #expect(try BPFProgram.open(pinned: program).info().name == "reflect")
    }

    @Test("A missing pin is not found")
    func missing() throws {
        let files = try ScratchBPFFileSystem()
        let error = failure { () throws(BPFError) in _ = try MapDescriptor.open(pinned: files.path + "/none") }
        #expect(try #require(error).isNotFound)
        #expect(try #require(error).description.contains(files.path))
    }

    @Test("Replacing a pin leaves the new object under the name and nothing beside it")
    func replacement() throws {
        let files = try ScratchBPFFileSystem()
        let path = files.path + "/program"
        let object = try TestObject.maps.load()
        try AtomicPin.replace(path, with: try object.program(named: "reflect"))
        #expect(try BPFProgram.open(pinned: path).info().name == "reflect")
        try AtomicPin.replace(path, with: try object.program(named: "report"))
        #expect(try BPFProgram.open(pinned: path).info().name == "report")
        #expect(try BPFFileSystem.entries(at: files.path) == ["program"])
    }

    @Test("Replacing fails without a trace when the directory is missing")
    func failedReplacement() throws {
        let files = try ScratchBPFFileSystem()
        let program = try TestObject.maps.load().program(named: "reflect")
        try BPFFileSystem.ensureDirectory(files.path + "/taken")
        let error = failure { () throws(BPFError) in try AtomicPin.replace(files.path + "/taken", with: program) }
        #expect(error != nil)
        #expect(try BPFFileSystem.entries(at: files.path) == ["taken"])
    }

    @Test("Directories are made with their parents, and trees are removed with their pins")
    func directories() throws {
        let files = try ScratchBPFFileSystem()
        let directory = files.path + "/a/b"
        try BPFFileSystem.ensureDirectory(directory)
        try BPFFileSystem.ensureDirectory(directory)
        try MapDescriptor.create(.array, name: "t", keySize: 4, valueSize: 4, maxEntries: 1).pin(at: directory + "/map")
        #expect(try BPFFileSystem.entries(at: directory) == ["map"])
        let overPin = failure { () throws(BPFError) in try BPFFileSystem.ensureDirectory(directory + "/map") }
        #expect(try #require(overPin).errno == ENOTDIR)
        try BPFFileSystem.removeTree(files.path + "/a")
        try BPFFileSystem.removeTree(files.path + "/a")
        #expect(try BPFFileSystem.entries(at: files.path) == [])
    }

    @Test("A BPF file system is told from other directories")
    func mounted() throws {
        let files = try ScratchBPFFileSystem()
        #expect(BPFFileSystem.isMounted(at: files.path))
        #expect(!BPFFileSystem.isMounted(at: "/tmp"))
        #expect(!BPFFileSystem.isMounted(at: "/no/such"))
    }
}

@Suite("Kernel features", .enabled(if: canUseKernel))
struct KernelFeatureTests {
    @Test("What every kernel of our range has is supported")
    func supported() {
        #expect(KernelFeatures.probe(map: .hash).isSupported)
        #expect(KernelFeatures.probe(program: .xdp).isSupported)
        #expect(KernelFeatures.probe(helper: .fibLookup, for: .xdp).isSupported)
    }

    @Test("What no kernel has is not")
    func unsupported() {
        #expect(!KernelFeatures.probe(helper: .setReturnValue, for: .xdp).isSupported)
        #expect(!KernelFeatures.probe(map: MapType(rawValue: 4000)).isSupported)
    }
}
