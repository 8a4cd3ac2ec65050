// The probe's background loads: thousands of held connections, many short ones, and an honest account of what failed.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Background load")
struct LoadTests {
    /// A node with a server and a client pod.
    private func withPair(_ body: (_ web: Probe, _ client: Probe, _ node: Node) throws -> Void) async throws {
        try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1", "fd50::1"])
            let web = try node.addPod("web", addresses: ["10.0.1.2", "fd00:1::2"])
            let client = try node.addPod("client", addresses: ["10.0.1.3", "fd00:1::3"])
            try body(web, client, node)
        }
    }

    @Test("5,000 connections are held and keep exchanging")
    func heldConnections() async throws {
        try await withPair { web, client, _ in
            try web.serve(.tcp, port: 80)
            let load = try client.startLoad(
                .tcp, web.v6, 80, mode: .hold, concurrency: 5000, rest: .milliseconds(500), timeout: .seconds(20))
            let settled = try eventually(within: .seconds(30)) {
                let now = try load.statistics()
                return now.open == 5000 && now.ok >= 15_000
            }
            let end = try load.stop()
            #expect(settled, "\(end)")
            #expect(end.failures == [:])
            #expect(end.connections == 5000)
            #expect(end.misdirected == 0)
            #expect(end.attempts == end.ok)
            #expect(end.servers == ["web": end.ok])
        }
    }

    @Test("tens of thousands of new connections leave no client port exhausted")
    func newConnections() async throws {
        try await withPair { web, client, _ in
            try web.serve(.tcp, port: 80)
            let load = try client.startLoad(.tcp, web.v4, 80, mode: .new, concurrency: 50, limit: 40_000)
            #expect(try eventually(within: .seconds(60)) { try load.statistics().finished })
            let end = try load.stop()
            #expect(end.ok == 40_000, "\(end)")
            #expect(end.connections == 40_000)
            #expect(end.open == 0)
        }
    }

    @Test("a server that goes away is seen as failures, its return as recovery", arguments: [Transport.tcp, .udp])
    func outage(_ transport: Transport) async throws {
        try await withPair { web, client, _ in
            let server = try web.serve(transport, port: 80, as: "before")
            let load = try client.startLoad(
                transport, web.v4, 80, mode: .hold, concurrency: 20, rest: .milliseconds(5))
            #expect(try eventually(within: .seconds(20)) { try load.statistics().ok > 100 })
            #expect(try load.statistics().failed == 0)
            try server.stop()
            #expect(
                try eventually(within: .seconds(20)) {
                    try load.statistics().failures.keys.contains { $0.hasSuffix(" ECONNREFUSED") }
                })
            try web.serve(transport, port: 80, as: "after")
            #expect(try eventually(within: .seconds(20)) { try load.statistics().servers["after", default: 0] > 100 })
            let end = try load.stop()
            #expect(end.attempts == end.ok + end.failed)
        }
    }

    @Test("a held datagram socket that another server answers is counted as misdirected")
    func misdirected() async throws {
        try await withPair { web, client, _ in
            let server = try web.serve(.udp, port: 53, as: "before")
            let load = try client.startLoad(
                .udp, web.v4, 53, mode: .hold, concurrency: 1, rest: .milliseconds(200), timeout: .seconds(2))
            #expect(try eventually(within: .seconds(20)) { try load.statistics().ok == 2 })
            try server.stop()
            try web.serve(.udp, port: 53, as: "after")
            #expect(try eventually(within: .seconds(20)) { try load.statistics().misdirected > 0 })
            #expect(try load.stop().connections == 1)
        }
    }
}
