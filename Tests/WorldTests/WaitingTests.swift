// Tests that wait themselves can use a world and its waiting helpers too, without holding up other tasks.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Waiting")
struct WaitingTests {
    @Test("a world can be used by a body that awaits")
    func asynchronous() async throws {
        let servers = try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1"])
            try node.host.serve(.tcp, port: 80)
            await Task.yield()
            return try node.host.ask(.tcp, "127.0.0.1", 80).servers
        }
        #expect(servers == ["n1": 1])
    }

    @Test("a body that blocks holds up no other task")
    func blocking() async throws {
        // Far more sleeping bodies than the concurrency pool has threads: together they take hardly longer than one.
        let began = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<40 {
                group.addTask { try await withWorld { _ in pause(milliseconds: 300) } }
            }
            try await group.waitForAll()
        }
        #expect(began.duration(to: .now) < .seconds(6), "40 bodies one after the other would take 12 s")
    }

    @Test("eventually gives up when the time is over and stops at the first success")
    func polling() {
        var looks = 0
        #expect(!eventually(within: .milliseconds(30)) { looks < 0 })
        let found = eventually(within: .seconds(5), every: .milliseconds(1)) {
            looks += 1
            return looks == 3
        }
        #expect(found)
        #expect(looks == 3)
    }

    @Test("eventually waits for conditions that wait themselves")
    func asynchronousPolling() async throws {
        var looks = 0
        let found = try await eventually(within: .seconds(5), every: .milliseconds(1)) {
            looks += 1
            await Task.yield()
            return looks == 3
        }
        #expect(found)
        #expect(looks == 3)
        #expect(try await !eventually(within: .milliseconds(10)) { false })
    }
}
