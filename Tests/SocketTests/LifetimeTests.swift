// How long the hooks' own state lives: as long as the sockets that it is about, whatever happens to the agent.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("The life of sockets' state", .timeLimit(.minutes(2)))
struct LifetimeTests {
    @Test("nothing is remembered of sockets that are closed, however they end")
    func release() async throws {
        try await withOwnCluster { cluster in
            let service = cluster.makeService(nodePort: true)
            try cluster.publish(service, cluster.endpoints)
            let doomed = try cluster.node.addPod("doomed", addresses: ["10.0.1.110", "fd00:1::110"])
            let clients = [cluster.client, cluster.node.host, doomed]
            var open: [Connection] = []
            for client in clients {
                for dial in Dial.every {
                    let frontend = service.frontend(dial, on: cluster.node)
                    #expect(try client.ask(dial, frontend, count: 20).total == 20)
                    if dial.isUnconnected {
                        let socket = try client.openDatagram(dial.family)
                        for _ in 0..<3 { _ = try socket.request(to: frontend) }
                        open.append(socket)
                    } else {
                        open.append(try client.connect(dial, frontend))
                    }
                }
            }
            #expect(try cluster.maps.connections() == 18)
            #expect(try cluster.maps.udpPages() == 9)

            // Refused, dropped, reset and aborted connections leave nothing either.
            try cluster.publish(service, [])
            for dial in Dial.every {
                _ = try cluster.client.ask(dial, service.frontend(dial, on: cluster.node), count: 3)
            }
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(.clusterIP, .tcp, .v4, on: cluster.node)
            let load = try cluster.client.startLoad(
                .tcp, frontend.address, frontend.port, mode: .new, concurrency: 10, limit: 300, reset: true)
            #expect(try eventually { () throws(WorldError) in try load.statistics().finished })
            _ = try load.stop()
            #expect(try cluster.maps.connections() == 18)

            for socket in open.prefix(18) { try socket.close() }
            #expect(try cluster.maps.connections() == 6)
            #expect(try cluster.maps.udpPages() == 3)
            try cluster.node.removePod(doomed)
            #expect(try eventually { try cluster.maps.connections() == 0 && cluster.maps.udpPages() == 0 })
        }
    }

    @Test("a socket with many services gives all its pages back")
    func manyPages() async throws {
        try await withOwnCluster { cluster in
            let services = (0..<30).map { _ in cluster.makeService() }
            for service in services { cluster.prepare { $0.set(service, [SliceObject(cluster.endpoints)]) } }
            try cluster.settle()
            let socket = try cluster.client.openDatagram(.v6)
            for service in services {
                _ = try socket.request(to: service.frontend(.clusterIP, .udp, .v6, on: cluster.node))
            }
            #expect(try cluster.maps.udpPages() == 8)
            try socket.close()
            #expect(try cluster.maps.udpPages() == 0)
        }
    }

    @Test("a socket made before the datapath is served once it is there")
    func earlySocket() async throws {
        try await withOwnCluster(.init(startsAgent: false)) { cluster in
            let service = cluster.makeService()
            cluster.prepare { $0.set(service, [SliceObject([cluster.endpoints[0]])]) }
            let backend = SocketAddress(cluster.servers[1].v4, 8080)
            let connected = try cluster.client.connect(.udp, backend)
            let unconnected = try cluster.client.openDatagram(.mapped)
            _ = try unconnected.request(to: backend)
            try cluster.startAgent()
            let frontend = service.frontend(.clusterIP, .udp, .v4, on: cluster.node)
            #expect(try connected.request().server == "web-2")
            #expect(try connected.peer() == backend)
            try connected.reconnect(to: frontend)
            #expect(try connected.request().server == "web-1")
            #expect(try connected.peer() == frontend)
            try unconnected.send(to: frontend)
            #expect(try unconnected.receive().source?.unmapped == frontend)

            // And it is found when its backend goes.
            try cluster.publish(service, [cluster.endpoints[2]])
            #expect(try eventually { try connected.check().error == "ECONNABORTED" })
        }
    }

    @Test("without the agent everything goes on; what changed meanwhile is applied when it is back (LIFE-6)")
    func agentDown() async throws {
        try await withOwnCluster { cluster in
            let (kept, gone, new) = (cluster.makeService(), cluster.makeService(), cluster.makeService())
            try cluster.publish(kept, cluster.endpoints)
            try cluster.publish(gone, cluster.endpoints)
            let client = cluster.client
            func frontend(_ service: ServiceObject, _ transport: Transport = .tcp) -> SocketAddress {
                service.frontend(.clusterIP, transport, .v4, on: cluster.node)
            }
            let held = try client.startLoad(
                .tcp, frontend(kept).address, 80, mode: .hold, concurrency: 6, rest: .milliseconds(1))
            let fresh = try client.startLoad(.tcp, frontend(kept).address, 80, mode: .new, concurrency: 4)
            let asked = try (0..<12).map { _ in try client.connect(.udp, frontend(kept, .udp)) }
            let servers = try asked.map { try $0.request().server }
            let unconnected = try client.openDatagram(.v4)
            let first = try unconnected.request(to: frontend(kept, .udp)).server

            try cluster.killAgent()
            #expect(try client.ask(.tcp, frontend(gone), count: 5).total == 5)
            #expect(try unconnected.request(to: frontend(kept, .udp)).server == first)
            for (socket, server) in zip(asked, servers) { #expect(try socket.request().server == server) }
            #expect(try asked[0].peer() == frontend(kept, .udp))
            cluster.prepare { manifests in
                manifests.set(
                    kept, [SliceObject(cluster.endpoints.filter { $0.addresses != cluster.address(of: first) })])
                manifests.remove(gone)
                manifests.set(new, [SliceObject([cluster.endpoints[0]])])
            }
            try cluster.startAgent()
            try cluster.settle()
            #expect(try client.ask(.tcp, frontend(gone), timeout: .milliseconds(300)).total == 0)
            #expect(try client.ask(.tcp, frontend(new), count: 5).servers == ["web-1": 5])
            #expect(try !client.ask(.tcp, frontend(kept), count: 40).names.contains(first))
            for (socket, server) in zip(asked, servers) {
                let expected = server == first ? "ECONNABORTED" : nil
                #expect(try socket.check().error == expected)
            }
            #expect(try unconnected.request(to: frontend(kept, .udp)).server != first)
            for load in [held, fresh] {
                let result = try load.stop()
                #expect(result.failed == 0 && result.misdirected == 0 && result.ok > 0, "\(result)")
            }
        }
    }

    @Test("a restart without any change disturbs nothing, unconnected sockets keep their backends")
    func quietRestart() async throws {
        try await withOwnCluster { cluster in
            let services = (0..<6).map { _ in cluster.makeService() }
            for service in services { cluster.prepare { $0.set(service, [SliceObject(cluster.endpoints)]) } }
            try cluster.settle()
            let frontends = services.map { $0.frontend(.clusterIP, .udp, .v6, on: cluster.node) }
            let socket = try cluster.client.openDatagram(.v6)
            let connected = try frontends.map { try cluster.client.connect(.udp, $0) }
            func servers() throws -> [String] {
                try frontends.map { try socket.request(to: $0).server } + connected.map { try $0.request().server }
            }
            let before = try servers()
            for _ in 0..<2 {
                try cluster.killAgent()
                try cluster.startAgent()
                try cluster.settle()
                #expect(try servers() == before)
                #expect(try connected.map { try $0.peer() } == frontends)
            }
        }
    }
}
