// Programs: test runs, facts, pins, statistics, tail calls, inner maps, ring buffers.

import BPF
import Glibc
import KernelTestSupport
import Testing

@Suite("BPF program", .enabled(if: canUseKernel))
struct ProgramTests {
    @Test("A test run returns the verdict and the packet afterwards")
    func testRun() throws {
        let program = try TestObject.maps.load().program(named: "reflect")
        let run = try program.testRun(packet: packet)
        #expect(run.returnValue == 3)
        #expect(run.output == Array(packet[6..<12] + packet[0..<6] + packet[12...]))
    }

    @Test("Repetitions see the packet that the one before left")
    func repetition() throws {
        let program = try TestObject.maps.load().program(named: "reflect")
        let run = try program.testRun(packet: packet, repeat: 2)
        #expect(run.output == packet)
        #expect(try program.testRun(packet: packet, repeat: 100_000).averageNanoseconds < 10_000)
    }

    @Test("A context is given and comes back")
    func context() throws {
        // struct xdp_md: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex.
        var context = [UInt8](repeating: 0, count: 24)
        context[4] = UInt8(packet.count)
        let program = try TestObject.maps.load().program(named: "reflect")
        let run = try program.testRun(packet: packet, context: context)
        #expect(run.context == context)
    }

    @Test("A packet that does not fit in the output is an error, not a cut packet")
    func smallOutput() throws {
        let program = try TestObject.maps.load().program(named: "reflect")
        let error = failure { () throws(BPFError) in _ = try program.testRun(packet: packet, outputCapacity: 20) }
        #expect(try #require(error).isFull)
    }

    @Test("Cgroup hooks cannot be test-run, and say so")
    func unsupportedTestRun() throws {
        let program = try TestObject.hooks.load().program(named: "count_connect")
        let error = failure { () throws(BPFError) in _ = try program.testRun(packet: packet) }
        #expect(try #require(error).isUnsupported)
    }

    @Test("The kernel's facts about a program are reported")
    func info() throws {
        let object = try TestObject.maps.load()
        let program = try object.program(named: "read_mapped")
        let info = try program.info()
        #expect(info.name == "read_mapped")
        #expect(info.type == .xdp)
        #expect(info.tag.count == 16)
        #expect(info.verifiedInstructions > 0)
        #expect(
            try Set(info.mapIDs).isSuperset(
                of: [object.map(named: "test_words").info().id, object.map(named: "test_records").info().id]))
        #expect(try BPFProgram.open(id: info.id).info().tag == info.tag)
    }

    @Test("Runs are counted while statistics are on")
    func statistics() throws {
        let program = try TestObject.maps.load().program(named: "reflect")
        let statistics = try RuntimeStatistics()
        _ = try program.testRun(packet: packet, repeat: 10)
        let info = try program.info()
        withExtendedLifetime(statistics) {}
        #expect(info.runCount >= 10)
        #expect(info.runTime > .zero)
    }

    @Test("A tail call goes where the slot points, and falls through when it is empty")
    func tailCalls() throws {
        let object = try TestObject.maps.load()
        let caller = try object.program(named: "call_slot")
        let callee = try object.program(named: "reflect")
        let slots = try ProgramArray(try object.map(named: "test_calls"))
        #expect(try slots.programID(at: 1) == nil)
        #expect(try caller.testRun(packet: packet).returnValue == 77)
        try slots.set(1, to: callee)
        #expect(try slots.programID(at: 1) == callee.info().id)
        #expect(try caller.testRun(packet: packet).returnValue == 3)
        try slots.clear(1)
        try slots.clear(1)
        #expect(try caller.testRun(packet: packet).returnValue == 77)
        let beyond = failure { () throws(BPFError) in try slots.set(2, to: callee) }
        #expect(try #require(beyond).isFull)
    }

    @Test("An inner map is exchanged as a whole")
    func innerMaps() throws {
        let object = try TestObject.maps.load()
        let program = try object.program(named: "read_inner")
        let outer = try ArrayOfMaps(try object.map(named: "test_outer"))
        #expect(try program.testRun(packet: packet).returnValue == 77)
        for value in [UInt64(5), 6] {
            let inner = try BPFMap<UInt32, UInt64>(
                try MapDescriptor.create(.array, name: "inner", keySize: 4, valueSize: 8, maxEntries: 1))
            try inner.update(0, value)
            try outer.set(1, to: inner.descriptor)
            #expect(try outer.mapID(at: 1) == inner.descriptor.info().id)
            #expect(try program.testRun(packet: packet).returnValue == UInt32(value))
        }
    }

    @Test("A view of a table of another kind is refused")
    func wrongTables() throws {
        let object = try TestObject.maps.load()
        let error = failure { () throws(BPFError) in _ = try ProgramArray(try object.map(named: "test_array")) }
        #expect(try #require(error).description.contains("it is a array map, not a prog_array map"))
    }
}

@Suite("Ring buffer", .enabled(if: canUseKernel))
struct RingBufferTests {
    @Test("Records arrive whole and in order")
    func records() throws {
        let object = try TestObject.maps.load()
        var ring = try RingBuffer(try object.map(named: "test_ring"))
        #expect(try ring.poll(timeout: .zero) { _ in Issue.record("there is nothing yet") } == 0)
        _ = try object.program(named: "report").testRun(packet: packet, repeat: 2)
        var sizes: [Int] = []
        #expect(try ring.poll(timeout: .seconds(1)) { sizes.append($0.byteCount) } == 4)
        #expect(sizes == [12, 1, 12, 1])
    }

    @Test("Typed records pass over what is too short")
    func typedRecords() throws {
        let object = try TestObject.maps.load()
        var ring = try RingBuffer(try object.map(named: "test_ring"))
        _ = try object.program(named: "report").testRun(packet: packet)
        var seen: [Record] = []
        let (delivered, short) = try ring.poll(timeout: .seconds(1), as: Record.self) { seen.append($0) }
        #expect((delivered, short) == (1, 1))
        #expect(seen == [Record(first: 1, second: 60, third: 3)])
    }

    @Test("A poll without records ends after its time")
    func timeout() throws {
        let object = try TestObject.maps.load()
        var ring = try RingBuffer(try object.map(named: "test_ring"))
        let start = ContinuousClock.now
        #expect(try ring.poll(timeout: .milliseconds(30)) { _ in } == 0)
        #expect(ContinuousClock.now - start >= .milliseconds(29))
    }

    @Test("A poll that a signal interrupts ends without an error")
    func interruption() async {
        await #expect(processExitsWith: .success) {
            let object = try TestObject.maps.load()
            var ring = try RingBuffer(try object.map(named: "test_ring"))
            _ = signal(SIGALRM) { _ in }
            // The threads of the cooperative pool take no signals unless told to.
            var signals = sigset_t()
            _ = unsafe (
                sigemptyset(&signals), sigaddset(&signals, SIGALRM), pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            )
            let poller = pthread_self()
            async let sender: Void = onOwnThread {
                for _ in 0..<20 {
                    usleep(20_000)
                    pthread_kill(poller, SIGALRM)
                }
            }
            for _ in 0..<5 { #expect(try ring.poll(timeout: .milliseconds(50)) { _ in } == 0) }
            try await sender
        }
    }

    @Test("A full ring loses the newest, which its program notices")
    func overflow() throws {
        let object = try TestObject.maps.load()
        var ring = try RingBuffer(try object.map(named: "test_ring"))
        let program = try object.program(named: "report")
        #expect(try program.testRun(packet: packet, repeat: 1000).returnValue == 1)
        #expect(try ring.poll(timeout: .zero) { _ in } > 0)
        #expect(try program.testRun(packet: packet).returnValue == 2)
    }

    @Test("A map of another kind is no ring")
    func wrongKind() throws {
        let object = try TestObject.maps.load()
        #expect(failure { () throws(BPFError) in _ = try RingBuffer(try object.map(named: "test_array")) } != nil)
    }
}
