// Descriptors are closed once each: whatever the library opened is closed when its owner goes away, after failures too,
// and nothing else is. Run in a process of its own, where no other test opens and closes.

import BPF
import KernelTestSupport
import Testing

@Suite("Descriptors", .enabled(if: canUseKernel))
struct DescriptorTests {
    @Test("Every value closes what it opened, and nothing else")
    func balance() async {
        await #expect(processExitsWith: .success) {
            // Bystanders on all low numbers, so that a stray close of any of them shows.
            openBystanders()
            let bystanders = try openDescriptors()
            // The first round may open what the process keeps for good; the second must leave no more.
            try useEverything()
            let before = try openDescriptors()
            try useEverything()
            #expect(bystanders.filter { !before.contains($0) } == [])
            #expect(try openDescriptors() == before)
        }
    }
}

private func useEverything() throws {
    try useMaps()
    try usePrograms()
    try useFailures()
}

private func useMaps() throws {
    let object = try TestObject.maps.load()
    let words = try object.map(named: "test_words")
    _ = try words.duplicate().info()
    _ = try MapDescriptor.open(id: try words.info().id).info()
    _ = try MappedArray<UInt64>(words).read(0)
    _ = try BPFMap<UInt32, Record>(try object.map(named: "test_hash")).entries()
    _ = try PerCPUMap<UInt32, Record>(try object.map(named: "test_percpu")).lookup(0)
    var ring = try RingBuffer(try object.map(named: "test_ring"))
    try ring.poll(timeout: .zero) { _ in }
    let calls = try ProgramArray(try object.map(named: "test_calls"))
    try calls.set(0, to: try object.program(named: "reflect"))
    var second = try TestObject.maps.open()
    try second.reuse(map: "test_words", words)
    try second.load()
}

private func usePrograms() throws {
    let object = try TestObject.hooks.load()
    let program = try object.program(named: "count_connect")
    _ = try BPFProgram.open(id: try program.info().id).duplicate().info()
    let files = try ScratchBPFFileSystem()
    let cgroup = try ScratchCGroup(parent: try #require(try CGroup2.mountPoint()))
    let link = try BPFLink.attach(program, cgroup: cgroup.path, .connect4)
    try AtomicPin.replace(files.path + "/link", with: link)
    _ = try BPFLink.open(pinned: files.path + "/link").info()
    _ = try BPFFileSystem.entries(at: files.path)
    _ = try RuntimeStatistics()
    _ = KernelFeatures.probe(helper: .fibLookup, for: .xdp)
    _ = KernelFeatures.probe(map: .hash)
    try link.detach()
}

private func useFailures() throws {
    let object = try TestObject.hooks.load()
    let files = try ScratchBPFFileSystem()
    let program = try object.program(named: "count_connect")
    let counts = try object.map(named: "hook_counts")
    try counts.pin(at: files.path + "/map")
    let failures = [
        failure { () throws(BPFError) in _ = try BPFMap<UInt64, UInt64>(try object.map(named: "hook_counts")) },
        failure { () throws(BPFError) in _ = try PerCPUMap<UInt32, UInt64>(try object.map(named: "hook_counts")) },
        failure { () throws(BPFError) in _ = try RingBuffer(try object.map(named: "hook_counts")) },
        failure { () throws(BPFError) in _ = try ProgramArray(try object.map(named: "hook_counts")) },
        failure { () throws(BPFError) in _ = try MappedArray<UInt64>(counts) },
        failure { () throws(BPFError) in _ = try BPFProgram.open(pinned: files.path + "/map") },
        failure { () throws(BPFError) in _ = try BPFLink.open(pinned: files.path + "/map") },
        failure { () throws(BPFError) in _ = try BPFLink.attach(program, cgroup: "/tmp", .connect4) },
        failure { () throws(BPFError) in _ = try BPFLink.attach(program, interface: 4711, .tcxIngress) },
        failure { () throws(BPFError) in try AtomicPin.replace(files.path + "/no/such", with: program) },
        failure { () throws(BPFError) in _ = try TestObject.refused.load() },
    ]
    for (index, failure) in failures.enumerated() where failure == nil {
        throw SupportError("attempt \(index) did not fail")
    }
}
