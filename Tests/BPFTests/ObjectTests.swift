// Opening, adjusting and loading objects: constants by name, sizes, shared maps, and what a refusal says.

import BPF
import KernelTestSupport
import Testing

@Suite("BPF object", .enabled(if: canUseKernel))
struct ObjectTests {
    @Test("A constant has its compiled value unless it is set")
    func constantsHaveDefaults() throws {
        let object = try TestObject.maps.load()
        #expect(try object.program(named: "return_constant").testRun(packet: packet).returnValue == 2 + 5)
    }

    @Test("Constants of one, two and eight bytes are set by name")
    func constantsAreSetByName() throws {
        var object = try TestObject.maps.open()
        try object.setConstant("test_verdict", UInt16(1))
        try object.setConstant("test_addend", UInt64(100))
        try object.setConstant("test_is_loud", true)
        try object.load()
        #expect(try object.program(named: "return_constant").testRun(packet: packet).returnValue == 1101)
    }

    @Test("A variable of the data section starts with the value that was set")
    func variablesAreSetBySection() throws {
        var object = try TestObject.maps.open()
        try object.setVariable("test_runs", UInt64(7), section: ".data")
        try object.load()
        _ = try object.program(named: "return_constant").testRun(packet: packet)
        let name = try #require(object.mapNames.first { $0.hasSuffix(".data") })
        let data = try BPFMap<UInt32, UInt64>(try object.map(named: name))
        #expect(try data.lookup(0) == 8)
    }

    @Test("A constant of an unknown name is not found")
    func unknownConstant() throws {
        var object = try TestObject.maps.open()
        let error = try #require(failure { () throws(BPFError) in try object.setConstant("no_such", UInt16(1)) })
        #expect(error.isNotFound)
        #expect(error.description.contains("no_such of maps"))
    }

    @Test("A constant of another size is refused with both sizes")
    func wrongConstantSize() throws {
        var object = try TestObject.maps.open()
        let error = try #require(failure { () throws(BPFError) in try object.setConstant("test_verdict", UInt32(1)) })
        #expect(error.description.contains("it has 2 bytes, and UInt32 has 4"))
    }

    @Test("A constant cannot be set after loading")
    func constantAfterLoading() throws {
        var object = try TestObject.maps.load()
        #expect(failure { () throws(BPFError) in try object.setConstant("test_verdict", UInt16(1)) } != nil)
    }

    @Test("The number of entries is set before loading")
    func maxEntries() throws {
        var object = try TestObject.maps.open()
        try object.setMaxEntries(map: "test_hash", 31)
        try object.load()
        #expect(try object.map(named: "test_hash").info().maxEntries == 31)
    }

    @Test("An object uses a map that another one made")
    func reuse() throws {
        let first = try TestObject.maps.load()
        let words = try first.map(named: "test_words")
        var second = try TestObject.maps.open()
        try second.reuse(map: "test_words", words)
        try second.load()
        #expect(try second.map(named: "test_words").info().id == words.info().id)
    }

    @Test("A map that differs from what the object declares is not used")
    func reuseOfAnotherMap() throws {
        let first = try TestObject.maps.load()
        let records = try first.map(named: "test_records")
        var second = try TestObject.maps.open()
        let error = try #require(failure { () throws(BPFError) in try second.reuse(map: "test_words", records) })
        #expect(error.description.contains("its value size is 12, and maps declares 8"))
    }

    @Test("A program without autoload is not loaded")
    func autoload() throws {
        var object = try TestObject.maps.open()
        try object.setAutoload(program: "reflect", false)
        try object.load()
        #expect(failure { () throws(BPFError) in _ = try object.program(named: "reflect") } != nil)
        #expect(failure { () throws(BPFError) in _ = try object.program(named: "report") } == nil)
    }

    @Test("Programs and maps live on without the object")
    func programsOutliveTheObject() throws {
        func take() throws(BPFError) -> BPFProgram {
            try TestObject.maps.load().program(named: "reflect")
        }
        #expect(try take().testRun(packet: packet).returnValue == 3)
    }

    @Test("Unknown programs and maps are not found")
    func unknownNames() throws {
        let object = try TestObject.maps.load()
        #expect(try #require(failure { () throws(BPFError) in _ = try object.program(named: "none") }).isNotFound)
        #expect(try #require(failure { () throws(BPFError) in _ = try object.map(named: "none") }).isNotFound)
    }

    @Test("Programs and maps are listed by name")
    func names() throws {
        let object = try TestObject.maps.open()
        #expect(object.programNames.contains("return_constant"))
        #expect(object.mapNames.contains("test_ring"))
    }

    @Test("A refusal by the verifier carries the end of its log")
    func verifierLog() throws {
        var object = try TestObject.refused.open()
        let error = try #require(failure { () throws(BPFError) in try object.load() })
        #expect(error.isPermission)
        #expect(error.description.contains("cannot load BPF object refused"))
        #expect(error.detail?.contains("invalid access to packet") == true)
    }

    @Test("Bytes that are no object are refused")
    func garbage() throws {
        let bytes: [UInt8] = Array("this is not an object".utf8)
        let error = try #require(failure { () throws(BPFError) in _ = try BPFObject(name: "junk", image: bytes.span) })
        #expect(error.description.hasPrefix("cannot open BPF object junk: "))
    }
}
