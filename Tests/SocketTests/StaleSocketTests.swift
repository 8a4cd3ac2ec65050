// Sockets to endpoints that stopped serving: destroyed where that helps their clients to reconnect (decision 6), exactly
// those, in every namespace; every other socket lives.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Stale sockets", .serialized, .cluster(), .timeLimit(.minutes(2)))
struct StaleSocketTests {
    typealias Family = HostCalls.AddressFamily

    private static let destroyed = CheckAlive.Reply(alive: false, error: "ECONNABORTED")
    private static let alive = CheckAlive.Reply(alive: true, error: nil)

    private static func isDestroyed(_ socket: Connection) throws -> Bool {
        // The error is told once; a socket that is gone stays so.
        var last = try socket.check()
        return try eventually { () throws(WorldError) in
            if last == destroyed { return true }
            last = try socket.check()
            return last == destroyed
        }
    }

    /// Sockets that together are connected to every backend, one to each.
    private static func oneToEach(
        _ client: Probe, _ dial: Dial, _ frontend: SocketAddress, of count: Int = 3
    ) throws -> [String: Connection] {
        var sockets: [String: Connection] = [:]
        for _ in 0..<200 where sockets.count < count {
            let socket = try client.connect(dial, frontend)
            let server = try socket.request().server
            if sockets[server] == nil { sockets[server] = socket } else { try socket.close() }
        }
        guard sockets.count == count else { throw ClusterError(description: "only \(sockets.keys) answer") }
        return sockets
    }

    @Test(
        "a connected UDP socket to a removed backend is destroyed, in pods and on the host, and reconnects elsewhere (CT-1)",
        arguments: Family.allCases)
    func removedBackend(_ family: Family) throws {
        try withCluster { cluster in
            let dial = Dial(transport: .udp, family: family)
            let service = cluster.makeService(nodePort: true)
            try cluster.publish(service, cluster.endpoints)
            let clients = [cluster.client, cluster.node.host, cluster.servers[1]]
            for kind in [FrontendKind.clusterIP, .nodePort] {
                let frontend = service.frontend(kind, dial, on: cluster.node)
                let sockets = try clients.map { try Self.oneToEach($0, dial, frontend) }
                try cluster.publish(service, Array(cluster.endpoints[1...]))
                for sockets in sockets {
                    let stale = try #require(sockets["web-1"])
                    #expect(try Self.isDestroyed(stale))
                    try stale.reconnect(to: frontend)
                    #expect(["web-2", "web-3"].contains(try stale.request().server))
                    #expect(try stale.peer() == dial.shown(frontend))
                    for name in ["web-2", "web-3"] { #expect(try sockets[name]?.request().server == name) }
                }
                try cluster.publish(service, cluster.endpoints)
            }
        }
    }

    @Test(
        "an unready backend's sockets go as well, a terminating one's stay while it serves (CT-3, CT-4)",
        arguments: [Family.v4, .v6])
    func conditions(_ family: Family) throws {
        try withCluster { cluster in
            let dial = Dial(transport: .udp, family: family)
            let service = cluster.makeService()
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(dial, on: cluster.node)
            let sockets = try Self.oneToEach(cluster.client, dial, frontend)
            let all = cluster.endpoints
            try cluster.publish(service, [all[0].terminating, all[1].unready, all[2]])
            try cluster.settle()
            #expect(try sockets["web-1"]?.request().server == "web-1")
            #expect(try sockets["web-2"]?.check() == Self.destroyed)
            #expect(try sockets["web-3"]?.request().server == "web-3")
            try cluster.publish(service, [all[2]])
            try cluster.settle()
            #expect(try sockets["web-1"]?.check() == Self.destroyed)
        }
    }

    @Test(
        "twins of a stale socket live: direct ones, another service's, reconnected ones, TCP (CT-4)",
        arguments: Family.allCases)
    func twins(_ family: Family) throws {
        try withCluster { cluster in
            let dial = Dial(transport: .udp, family: family)
            let service = cluster.makeService()
            let other = cluster.makeService()
            cluster.prepare { manifests in
                manifests.set(service, [SliceObject([cluster.endpoints[0]])])
                manifests.set(other, [SliceObject([cluster.endpoints[0]])])
            }
            try cluster.settle()
            let client = cluster.client
            let frontend = service.frontend(dial, on: cluster.node)
            let otherFrontend = other.frontend(dial, on: cluster.node)
            let backend = SocketAddress(cluster.servers[0].address(family), 8080)
            let stale = try client.connect(dial, frontend)
            let direct = try client.connect(dial, backend)
            let others = try client.connect(dial, otherFrontend)
            let elsewhere = try client.connect(dial, frontend)
            try elsewhere.reconnect(to: otherFrontend)
            let directly = try client.connect(dial, frontend)
            try directly.reconnect(to: backend)
            let unconnected = try client.openDatagram(family)
            _ = try unconnected.request(to: frontend)
            let stream = try client.connect(Dial(transport: .tcp, family: family), frontend)

            try cluster.publish(service, [cluster.endpoints[1]])
            #expect(try Self.isDestroyed(stale))
            try cluster.settle()
            for twin in [direct, others, elsewhere, directly, stream] { #expect(try twin.check() == Self.alive) }
            for twin in [direct, others, elsewhere, directly, stream] { #expect(try twin.request().server == "web-1") }
            #expect(try unconnected.request(to: frontend).server == "web-2")
        }
    }

    @Test(
        "a service keeps its sockets while it has nothing better, and loses them once it has (CT-4)",
        arguments: [Family.v4, .v6])
    func nothingServes(_ family: Family) throws {
        try withCluster { cluster in
            let dial = Dial(transport: .udp, family: family)
            let service = cluster.makeService()
            try cluster.publish(service, [cluster.endpoints[0]])
            let frontend = service.frontend(dial, on: cluster.node)
            let socket = try cluster.client.connect(dial, frontend)
            try cluster.publish(service, [])
            try cluster.settle()
            #expect(try socket.request().server == "web-1")
            try cluster.publish(service, [cluster.endpoints[1]])
            #expect(try Self.isDestroyed(socket))
            try socket.reconnect(to: frontend)
            #expect(try socket.request().server == "web-2")

            // Back with the same backend there is nothing to destroy.
            try cluster.publish(service, [])
            try cluster.publish(service, [cluster.endpoints[1]])
            try cluster.settle()
            #expect(try socket.request().server == "web-2")
        }
    }

    @Test("a changed target port makes sockets stale (CT-1)", arguments: [Family.v4, .v6])
    func targetPort(_ family: Family) throws {
        try withCluster { cluster in
            let dial = Dial(transport: .udp, family: family)
            let service = cluster.makeService()
            for server in cluster.servers { _ = try? server.serve(.udp, port: 8081) }
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(dial, on: cluster.node)
            let socket = try cluster.client.connect(dial, frontend)
            try cluster.publish(service, slices: [SliceObject(cluster.endpoints, port: 8081)])
            #expect(try Self.isDestroyed(socket))
            try socket.reconnect(to: frontend)
            #expect(try socket.request().local.hasSuffix(":8081"))
        }
    }

    @Test(
        "a service that is deleted leaves its sockets alone, until it is there again without their backend (CT-7)",
        arguments: Family.allCases)
    func deletedService(_ family: Family) throws {
        try withCluster { cluster in
            let dial = Dial(transport: .udp, family: family)
            let service = cluster.makeService()
            try cluster.publish(service, cluster.endpoints)
            let socket = try cluster.client.connect(dial, service.frontend(dial, on: cluster.node))
            let server = try socket.request().server
            try cluster.remove(service)
            try cluster.settle()
            #expect(try socket.request().server == server)
            try cluster.publish(service, cluster.endpoints.filter { $0.addresses != cluster.address(of: server) })
            #expect(try Self.isDestroyed(socket))
        }
    }

    @Test("TCP connections are never cut (BAL-3)", arguments: Family.allCases)
    func tcp(_ family: Family) throws {
        try withCluster { cluster in
            let dial = Dial(transport: .tcp, family: family)
            let service = cluster.makeService(nodePort: true)
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(dial, on: cluster.node)
            let sockets = try Self.oneToEach(cluster.client, dial, frontend)
            try cluster.publish(service, [cluster.endpoints[2]])
            try cluster.settle()
            for (name, socket) in sockets {
                #expect(try socket.request().server == name)
                #expect(try socket.peer() == dial.shown(frontend))
            }
            #expect(try cluster.client.ask(dial, frontend, count: 10).servers == ["web-3": 10])
            try cluster.remove(service)
            try cluster.settle()
            for (name, socket) in sockets { #expect(try socket.request().server == name) }
        }
    }

    @Test("sockets are found however many came after them, in pods old and new")
    func longLived() throws {
        try withCluster { cluster in
            let dial = Dial(transport: .udp, family: .v4)
            let service = cluster.makeService()
            try cluster.publish(service, [cluster.endpoints[0]])
            let frontend = service.frontend(dial, on: cluster.node)
            let newcomer = try cluster.node.addPod("newcomer", addresses: ["10.0.1.120", "fd00:1::120"])
            let clients = [cluster.client, newcomer, cluster.node.host]
            let sockets = try clients.map { try $0.connect(dial, frontend) }
            let load = try cluster.client.startLoad(
                .udp, frontend.address, frontend.port, mode: .new, concurrency: 50, limit: 10_000)
            #expect(try eventually(within: .seconds(30)) { () throws(WorldError) in try load.statistics().finished })
            #expect(try load.stop().failed == 0)
            try cluster.publish(service, [cluster.endpoints[1]])
            for socket in sockets { #expect(try Self.isDestroyed(socket)) }
            try cluster.node.removePod(newcomer)
        }
    }

    @Test("of sockets that share a client port only the stale ones go", arguments: Family.allCases)
    func sharedPort(_ family: Family) throws {
        try withCluster { cluster in
            let services = [cluster.makeService(), cluster.makeService()]
            for (service, endpoint) in zip(services, cluster.endpoints) {
                cluster.prepare { $0.set(service, [SliceObject([endpoint])]) }
            }
            try cluster.settle()
            let bind = SocketAddress(cluster.client.address(family), 4567)
            let sockets = try services.map { service in
                let frontend = service.frontend(.clusterIP, .udp, family, on: cluster.node)
                return try (0..<6).map { _ in
                    try cluster.client.connect(
                        .udp, frontend.address, frontend.port, family: family, bind: bind, reuse: true)
                }
            }
            try cluster.publish(services[0], [cluster.endpoints[2]])
            try cluster.settle()
            for socket in sockets[0] { #expect(try socket.check() == Self.destroyed) }
            for socket in sockets[1] { #expect(try socket.check() == Self.alive) }
        }
    }
}
