// Session affinity where two CPUs draw for one client at the same time: bpf/lib/affinity.bpf.h in test programs that play
// the second one (bpf/test/affinity.bpf.c).

import BPF
import CTestObjects
import Testing

@Suite("Session affinity on two CPUs")
struct AffinityRaceTests {
    /// What a program of the object returns: a position in the set of two.
    private static func run(_ program: String) throws -> UInt32 {
        let embedded = unsafe test_object_affinity()
        let image = unsafe UnsafeRawBufferPointer(start: embedded.bytes, count: embedded.count)
        var object = try unsafe BPFObject(name: "affinity", image: image)
        // An LRU of the one element that the map has by itself has none to spare for a CPU.
        try object.setMaxEntries(map: "affinity", 1024)
        try object.load()
        return try object.program(named: program).testRun(packet: [UInt8](repeating: 0, count: 60)).returnValue
    }

    @Test("a client that is alone is bound to what was drawn for it", arguments: ["draw_first", "draw_again"])
    func alone(_ program: String) throws {
        #expect(try Self.run(program) == 0)
    }

    @Test(
        "of two CPUs that draw for one client the first decides for both (AFF-1)",
        arguments: ["draw_first_beaten", "draw_again_beaten"])
    func beaten(_ program: String) throws {
        #expect(try Self.run(program) == 1)
    }

    @Test("a record with a later time than the dial's is fresh (AFF-3)")
    func renewed() throws {
        #expect(try Self.run("recall_renewed") == 0)
    }
}
