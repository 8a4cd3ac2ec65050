// The ports of one service: each goes its own way, whatever becomes of the others.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Ports at the socket", .serialized, .cluster(), .timeLimit(.minutes(2)))
struct PortTests {
    @Test(
        "a port that comes and goes disturbs neither open nor new connections of another one (PORT-1)",
        arguments: Dial.plain)
    func portsApart(_ dial: Dial) throws {
        try withCluster { cluster in
            let client = cluster.client
            var service = cluster.makeService()
            let kept = ServiceObject.Port(name: "kept", transport: dial.transport, number: 80)
            let other = ServiceObject.Port(name: "other", transport: dial.transport, number: 443)
            service.ports = [kept]
            try cluster.publish(service, cluster.endpoints)
            let first = service.frontend(dial, on: cluster.node)
            let second = SocketAddress(first.address, other.number)
            let loads = try [LoadMode.new, .hold].map { mode in
                try client.startLoad(
                    dial.transport, first.address, first.port, mode: mode, concurrency: 4, rest: .milliseconds(1))
            }
            var open: [Connection] = []
            for ports in [[kept, other], [other, kept]] {
                service.ports = ports
                try cluster.publish(service, cluster.endpoints)
                #expect(try client.ask(dial, second, count: 40).names == ["web-1", "web-2", "web-3"])
                open.append(try client.connect(dial, second))
                service.ports = [kept]
                try cluster.publish(service, cluster.endpoints)
                #expect(try client.failure(dial, second) == dial.refused)
            }
            for load in loads {
                let count = try load.statistics().ok
                #expect(try eventually { () throws(WorldError) in try load.statistics().ok > count + 50 })
                let result = try load.stop()
                #expect(result.failed == 0 && result.misdirected == 0, "\(result)")
            }
            // Those of the port that went go on as well, as a deleted service's do (CT-7).
            for socket in open { #expect(try socket.peer() == second && !socket.request().server.isEmpty) }
        }
    }

    @Test(
        "TCP and UDP of one number lead each to its own target port, on every kind of frontend (PORT-2)",
        arguments: FrontendKind.allCases, Dial.every)
    func targetPorts(_ kind: FrontendKind, _ dial: Dial) throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true, external: true)
            // Both servers speak both, so that a mistake is answered and seen.
            for server in cluster.servers { try? server.serveEcho(port: 8081) }
            try cluster.publish(
                service,
                slices: [
                    SliceObject(cluster.endpoints, port: 8080, portNames: ["tcp"]),
                    SliceObject(cluster.endpoints, port: 8081, portNames: ["udp"]),
                ])
            let target = dial.transport == .tcp ? "8080" : "8081"
            let answers = try cluster.client.ask(dial, service.frontend(kind, dial, on: cluster.node), count: 40)
            #expect(answers.names == ["web-1", "web-2", "web-3"])
            #expect(answers.locals.keys.allSatisfy { $0.hasSuffix(":\(target)") }, "\(answers)")
        }
    }

    /// What tells that the kernel speaks SCTP: its protocols (IPv4's and IPv6's), its modules where it has any.
    private static func kernelSCTP() throws -> [String] {
        try ["/proc/net/protocols", "/proc/modules"].filter { exists($0) }.flatMap { file in
            try readText(file).split(separator: "\n").compactMap { $0.split(separator: " ").first.map(String.init) }
                .filter { $0.lowercased().hasPrefix("sctp") }
        }
    }

    @Test("a port of SCTP loads no sctp module and takes nothing from TCP and UDP (PORT-5)", arguments: Dial.plain)
    func sctp(_ dial: Dial) throws {
        try withCluster { cluster in
            let before = try Self.kernelSCTP()
            var service = cluster.makeService(nodePort: true)
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(dial, on: cluster.node)
            let open = try cluster.client.connect(dial, frontend)
            let server = try open.request().server
            // One shares its numbers with TCP and UDP, the other one has them to itself.
            let shared = try #require(service.ports.first)
            service.ports += [
                .init(name: "sctp", transport: nil, number: shared.number, nodePort: shared.nodePort),
                .init(name: "sctp-alone", transport: nil, number: 3868, nodePort: shared.nodePort + 1000),
            ]
            try cluster.publish(service, cluster.endpoints)
            #expect(try Self.kernelSCTP() == before)
            #expect(try open.request().server == server)
            for kind in [FrontendKind.clusterIP, .nodePort] {
                let frontend = service.frontend(kind, dial, on: cluster.node)
                #expect(try cluster.client.ask(dial, frontend, count: 40).names == ["web-1", "web-2", "web-3"])
            }
            #expect(try cluster.client.failure(dial, SocketAddress(frontend.address, 3868)) == dial.refused)
            let alone = service.frontend(.nodePort, dial, on: cluster.node)
            #expect(
                try cluster.answersOnNode(dial, at: SocketAddress(alone.address, alone.port + 1000)) == ["untouched"])
            service.ports.removeLast(2)
            try cluster.publish(service, cluster.endpoints)
            #expect(try cluster.client.ask(dial, frontend, count: 40).names == ["web-1", "web-2", "web-3"])
            #expect(try Self.kernelSCTP() == before)
        }
    }
}
