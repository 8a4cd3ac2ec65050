// A probe's sockets step by step: names, sources, shared client ports, bind refusals, and how a dead one shows.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("A probe's sockets")
struct SocketTests {
    private func withPair(_ body: (_ web: Probe, _ client: Probe) throws -> Void) async throws {
        try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1", "fd50::1"])
            let web = try node.addPod("web", addresses: ["10.0.1.2", "fd00:1::2"])
            try body(web, try node.addPod("client", addresses: ["10.0.1.3", "fd00:1::3"]))
        }
    }

    @Test("a connection serves many requests and tells its names as the kernel does")
    func names() async throws {
        try await withPair { web, client in
            try web.serve(.tcp, port: 80)
            let bind = SocketAddress("10.0.1.3", 4000)
            let connection = try client.connect(.tcp, web.v4, 80, bind: bind)
            #expect(try connection.local() == bind)
            #expect(try connection.peer() == SocketAddress("10.0.1.2", 80))
            for size in [0, 10, 5000] {
                let answer = try connection.request(size: size)
                #expect(
                    answer
                        == Answer(
                            server: "web", client: "10.0.1.3:4000", local: "10.0.1.2:80", requestSize: max(size, 6)))
            }
            let mapped = try client.connect(.tcp, web.v4, 80, family: .mapped)
            #expect(try mapped.peer() == SocketAddress("::ffff:10.0.1.2", 80))
            #expect(try mapped.request().client.hasPrefix("10.0.1.3:"))
            #expect(try connection.check() == CheckAlive.Reply(alive: true, error: nil))
            try connection.close()
            #expect(try refusal { try connection.request() } == "EBADF")
        }
    }

    @Test("one client address and port serves two connections when shared")
    func sharedPort() async throws {
        try await withPair { web, client in
            try web.serve(.tcp, port: 80)
            try web.serve(.tcp, port: 81)
            let bind = SocketAddress("10.0.1.3", 4000)
            let first = try client.connect(.tcp, web.v4, 80, bind: bind, reuse: true)
            let second = try client.connect(.tcp, web.v4, 81, bind: bind, reuse: true)
            #expect(try first.request().client == "10.0.1.3:4000")
            #expect(try second.request().client == "10.0.1.3:4000")
            #expect(
                try refusal {
                    try client.connect(.tcp, web.v4, 80, bind: bind)
                } == "EADDRINUSE")
        }
    }

    @Test("a datagram server on every address answers from the one it was asked at", arguments: AddressFamily.allCases)
    func sources(_ family: AddressFamily) async throws {
        try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1", "fd50::1"])
            let web = try node.addPod("web", addresses: ["10.0.1.2", "10.0.1.77", "fd00:1::2", "fd00:1::77"])
            let client = try node.addPod("client", addresses: ["10.0.1.3", "fd00:1::3"])
            try web.serve(.udp, port: 53)
            let socket = try client.openDatagram(family)
            for (v4, v6) in [("10.0.1.2", "fd00:1::2"), ("10.0.1.77", "fd00:1::77")] {
                let dialled = SocketAddress(family == .v6 ? v6 : v4, 53)
                try socket.send(to: dialled)
                let reply = try socket.receive()
                #expect(reply.answer?.local == dialled.description)
                #expect(reply.source?.unmapped == dialled)
                #expect(reply.source?.address.hasPrefix("::ffff:") == (family == .mapped))
            }
        }
    }

    @Test("an unconnected ask reports the source of the replies")
    func unconnected() async throws {
        try await withPair { web, client in
            try web.serve(.udp, port: 53)
            let answers = try client.ask(.udp, web.v4, 53, family: .mapped, count: 4, unconnected: true)
            #expect(answers.servers == ["web": 4])
            #expect(answers.peers == ["[::ffff:10.0.1.2]:53": 4])
        }
    }

    @Test("bind fails as the kernel fails it")
    func binding() async throws {
        try await withPair { web, _ in
            let server = try web.serve(.tcp, port: 80)
            #expect(try refusal { try web.bind(.tcp, "0.0.0.0", 80) } == "EADDRINUSE")
            #expect(try refusal { try web.bind(.udp, "0.0.0.0", 80) } == nil)
            #expect(try refusal { try web.bind(.tcp, "10.9.9.9", 80) } == "EADDRNOTAVAIL")
            #expect(try refusal { try web.bind(.tcp, "::", 81, family: .mapped) } == nil)
            try server.stop()
            #expect(try refusal { try web.bind(.tcp, "0.0.0.0", 80) } == nil)
        }
    }

    @Test("a socket whose server has gone is found dead, with its error")
    func death() async throws {
        try await withPair { web, client in
            let server = try web.serve(.tcp, port: 80)
            let kept = try client.connect(.tcp, web.v4, 80)
            _ = try kept.request()
            try server.stop(keepConnections: true)
            #expect(try kept.check().alive)
            #expect(try kept.request().server == "web")
            try web.kill()
            #expect(try eventually { try !kept.check().alive })
            let datagram = try client.connect(.udp, web.v4, 53)
            try datagram.send()
            #expect(
                try eventually {
                    try datagram.check() == CheckAlive.Reply(alive: false, error: "ECONNREFUSED")
                })
        }
    }

    @Test("a silent server is a timeout, a dead probe says so")
    func silence() async throws {
        try await withPair { _, client in
            let socket = try client.openDatagram(.v4)
            #expect(
                try refusal {
                    try socket.receive(within: .milliseconds(20))
                } == "ETIMEDOUT")
            try client.kill()
            let error = #expect(throws: WorldError.self) { try socket.local() }
            guard case .silentProbe("client", _) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }
}
