// Reading the constants of a loaded program back from the kernel.

import BPF
import KernelTestSupport
import Testing

@Suite("Constants of a loaded program", .enabled(if: canUseKernel))
struct ConstantTests {
    @Test("Constants are read back by their names, those that were set and those that were not")
    func values() throws {
        var object = try TestObject.maps.open()
        try object.setConstant("test_addend", UInt64(0x0102_0304_0506_0708))
        try object.setConstant("test_is_loud", true)
        try object.load()
        let program = try BPFProgram.open(id: object.program(named: "return_constant").info().id)
        let constants = try #require(try program.constants())
        #expect(try constants.number("test_verdict") == 2)
        #expect(try constants.number("test_addend") == 0x0102_0304_0506_0708)
        #expect(try constants.number("test_is_loud") == 1)
    }

    @Test("Each program has the constants that it was loaded with, though the object is gone")
    func separation() throws {
        func load(_ verdict: UInt16) throws -> BPFProgram {
            var object = try TestObject.maps.open()
            try object.setConstant("test_verdict", verdict)
            try object.load()
            return try object.program(named: "return_constant")
        }
        let first = try load(1)
        let second = try load(0xfff0)
        #expect(try first.constants()?.number("test_verdict") == 1)
        #expect(try second.constants()?.number("test_verdict") == 0xfff0)
    }

    @Test("A constant of an unknown name is not found, and neither is a variable")
    func unknownName() throws {
        let program = try TestObject.maps.load().program(named: "return_constant")
        let constants = try #require(try program.constants())
        for name in ["no_such", "test_runs"] {
            let error = try #require(failure { () throws(BPFError) in _ = try constants.number(name) })
            #expect(error.isNotFound)
            #expect(error.description.contains("cannot find constant \(name) in map number"))
        }
    }

    @Test("A program whose object has no constants has none")
    func absence() throws {
        let program = try TestObject.hooks.load().program(named: "count_connect")
        #expect(try program.constants() == nil)
    }
}
