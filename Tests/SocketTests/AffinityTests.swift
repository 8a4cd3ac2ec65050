// Session affinity: a client, which at the socket is a network namespace, stays with a backend for as long as the rules
// say. Where a choice must be shown to be free, ten services choose at once: all ten alike by chance is 1 in 59,049.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Session affinity", .serialized, .cluster(), .timeLimit(.minutes(2)))
struct AffinityTests {
    private static func sticky(
        _ cluster: Cluster, seconds: Int = 60, nodePort: Bool = false, external: Bool = false
    ) -> ServiceObject {
        var service = cluster.makeService(nodePort: nodePort, external: external)
        service.affinitySeconds = seconds
        return service
    }

    /// The only server that answered so many asks; nil when there were several.
    private static func server(_ client: Probe, _ dial: Dial, _ to: SocketAddress, count: Int = 15) throws -> String? {
        let answers = try client.ask(dial, to, count: count)
        return answers.total == count && answers.names.count == 1 ? answers.names.first : nil
    }

    /// The server of each service, from one ask each.
    private static func servers(_ client: Probe, _ services: [ServiceObject], _ cluster: Cluster) throws -> [String] {
        try services.map { service in
            try client.ask(.tcp, service.frontend(.clusterIP, .tcp, .v4, on: cluster.node)).names.first ?? ""
        }
    }

    @Test("a client stays with one backend, pods and host processes alike (AFF-1)", arguments: Dial.every)
    func stays(_ dial: Dial) throws {
        try withCluster { cluster in
            let service = Self.sticky(cluster)
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(dial, on: cluster.node)
            for client in [cluster.client, cluster.node.host, cluster.servers[0]] {
                #expect(try Self.server(client, dial, frontend) != nil)
            }
        }
    }

    @Test("every kind of frontend of a service port shares the client's backend (AFF-2)", arguments: Dial.connected)
    func sharedByKinds(_ dial: Dial) throws {
        try withCluster { cluster in
            let service = Self.sticky(cluster, nodePort: true, external: true)
            try cluster.publish(service, cluster.endpoints)
            let servers = try FrontendKind.allCases.map { kind in
                try Self.server(cluster.client, dial, service.frontend(kind, dial, on: cluster.node), count: 5)
            }
            #expect(Set(servers).count == 1 && servers[0] != nil, "\(servers)")
        }
    }

    @Test("namespaces, families and service ports are remembered apart (AFF-2)")
    func apart() throws {
        try withCluster { cluster in
            let service = Self.sticky(cluster)
            try cluster.publish(service, cluster.endpoints)
            try cluster.settle()
            let before = try cluster.maps.affinityRecords()
            for client in [cluster.client, cluster.node.host] {
                for dial in Dial.every {
                    #expect(try Self.server(client, dial, service.frontend(dial, on: cluster.node), count: 3) != nil)
                }
            }
            // Two clients, two families (mapped is IPv4), two ports.
            #expect(try cluster.maps.affinityRecords() - before == 8)
        }
    }

    @Test("the time-out counts from the last new connection (AFF-3)")
    func timeout() throws {
        try withCluster { cluster in
            let timeout = Duration.seconds(2)
            let services = (0..<10).map { _ in Self.sticky(cluster, seconds: 2) }
            for service in services { cluster.prepare { $0.set(service, [SliceObject(cluster.endpoints)]) } }
            try cluster.settle()
            let client = cluster.client
            var first: [String] = []
            // A machine that stands still for a second makes a gap longer than it was meant to be: begin again then.
            for _ in 0..<5 {
                first = try Self.servers(client, services, cluster)
                var longestGap = Duration.zero
                var second: [[String]] = []
                for _ in 0..<2 {
                    let began = ContinuousClock.now
                    pause(milliseconds: 1200)
                    second.append(try Self.servers(client, services, cluster))
                    longestGap = max(longestGap, ContinuousClock.now - began)
                }
                guard longestGap < timeout - .milliseconds(200) else { continue }
                #expect(second == [first, first])
                break
            }
            pause(milliseconds: 2100)
            #expect(try Self.servers(client, services, cluster) != first)
        }
    }

    @Test("connections that a client makes at the same time go to one backend (AFF-1, AFF-3)")
    func concurrently() throws {
        try withCluster { cluster in
            let service = Self.sticky(cluster)
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(.clusterIP, .udp, .v4, on: cluster.node)
            // Each load has a thread of its own.
            let loads = try (0..<3).map { _ in
                try cluster.client.startLoad(.udp, frontend.address, frontend.port, mode: .new, concurrency: 4)
            }
            pause(milliseconds: 1500)
            let result = try loads.map { load in try load.stop() }.total
            #expect(result.servers.count == 1 && result.ok > 1000 && result.failed == 0, "\(result)")
        }
    }

    @Test("a record that another CPU has renewed since is as good as new, and keeps its time (AFF-1, AFF-3)")
    func renewedSince() throws {
        try withCluster { cluster in
            let services = (0..<10).map { _ in Self.sticky(cluster) }
            for service in services { cluster.prepare { $0.set(service, [SliceObject(cluster.endpoints)]) } }
            try cluster.settle()
            let first = try Self.servers(cluster.client, services, cluster)
            // What a dial finds if it took its time before the other CPU did.
            let later = try cluster.maps.renewAffinity(in: .seconds(20))
            #expect(try Self.servers(cluster.client, services, cluster) == first)
            #expect(try cluster.maps.affinityTimes().allSatisfy { $0 == later })
        }
    }

    @Test("what goes on in open connections does not put the time-out off (AFF-3)")
    func existingConnections() throws {
        try withCluster { cluster in
            let services = (0..<10).map { _ in Self.sticky(cluster, seconds: 1) }
            for service in services { cluster.prepare { $0.set(service, [SliceObject(cluster.endpoints)]) } }
            try cluster.settle()
            let client = cluster.client
            let frontends = services.map { $0.frontend(.clusterIP, .udp, .v4, on: cluster.node) }
            let socket = try client.openDatagram(.v4)
            let connected = try frontends.map { try client.connect(.udp, $0) }
            let first = try frontends.map { try socket.request(to: $0).server }
            for _ in 0..<4 {
                pause(milliseconds: 300)
                #expect(try frontends.map { try socket.request(to: $0).server } == first)
                for connection in connected { _ = try connection.request() }
            }
            let fresh = try frontends.map { try client.ask(.udp, $0).names.first ?? "" }
            #expect(fresh != first)
        }
    }

    @Test("a backend that goes is replaced, and its successor kept (AFF-4)", arguments: [false, true])
    func backendGone(_ isUnready: Bool) throws {
        try withCluster { cluster in
            let service = Self.sticky(cluster)
            try cluster.publish(service, cluster.endpoints)
            let dial = Dial(transport: .tcp, family: .v4)
            let frontend = service.frontend(dial, on: cluster.node)
            let first = try #require(try Self.server(cluster.client, dial, frontend))
            let rest = cluster.servers.map { EndpointObject($0) }.enumerated().compactMap { index, endpoint in
                cluster.servers[index].name != first ? endpoint : isUnready ? endpoint.unready : nil
            }
            try cluster.publish(service, rest)
            let second = try #require(try Self.server(cluster.client, dial, frontend))
            #expect(second != first)
            try cluster.publish(service, cluster.endpoints)
            #expect(try Self.server(cluster.client, dial, frontend) == second)
        }
    }

    @Test("a backend that goes and returns is not remembered (AFF-5)")
    func noMemory() throws {
        try withCluster { cluster in
            let service = Self.sticky(cluster)
            try cluster.publish(service, cluster.endpoints)
            try cluster.settle()
            let before = try cluster.maps.affinityRecords()
            let dial = Dial(transport: .tcp, family: .v4)
            let frontend = service.frontend(dial, on: cluster.node)
            let first = try #require(try Self.server(cluster.client, dial, frontend))
            #expect(try cluster.maps.affinityRecords() - before == 1)
            let index = try #require(cluster.servers.firstIndex { $0.name == first })
            try cluster.publish(service, [cluster.endpoints[(index + 1) % 3]])
            try cluster.settle()
            #expect(try cluster.maps.affinityRecords() - before == 0)
            try cluster.publish(service, cluster.endpoints)
            #expect(try cluster.maps.affinityRecords() - before == 0)
        }
    }

    @Test("a terminating backend gets no new connections, its own ones go on (BAL-3)")
    func terminatingBackend() throws {
        try withCluster { cluster in
            let service = Self.sticky(cluster)
            try cluster.publish(service, cluster.endpoints)
            let dial = Dial(transport: .tcp, family: .v4)
            let frontend = service.frontend(dial, on: cluster.node)
            let first = try #require(try Self.server(cluster.client, dial, frontend))
            let open = try cluster.client.connect(dial, frontend)
            try cluster.publish(
                service, zip(cluster.servers, cluster.endpoints).map { $0.name == first ? $1.terminating : $1 })
            let second = try #require(try Self.server(cluster.client, dial, frontend))
            #expect(second != first)
            #expect(try open.request().server == first)
        }
    }

    @Test("affinity is switched on and off at once, open connections untouched (AFF-6)", arguments: Dial.connected)
    func switching(_ dial: Dial) throws {
        try withCluster { cluster in
            var service = Self.sticky(cluster)
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(dial, on: cluster.node)
            let open = try cluster.client.connect(dial, frontend)
            let first = try open.request().server
            for _ in 0..<2 {
                service.affinitySeconds = 60
                try cluster.publish(service, cluster.endpoints)
                #expect(try Self.server(cluster.client, dial, frontend) != nil)
                service.affinitySeconds = nil
                try cluster.publish(service, cluster.endpoints)
                #expect(try cluster.client.ask(dial, frontend, count: 40).names.count == 3)
            }
            #expect(try open.request().server == first)
        }
    }

    @Test("a client with affinity spreads again when affinity is on another service")
    func otherService() throws {
        try withCluster { cluster in
            let sticky = Self.sticky(cluster)
            let plain = cluster.makeService()
            try cluster.publish(sticky, cluster.endpoints)
            try cluster.publish(plain, cluster.endpoints)
            let dial = Dial(transport: .tcp, family: .v4)
            #expect(try Self.server(cluster.client, dial, sticky.frontend(dial, on: cluster.node)) != nil)
            #expect(try cluster.client.ask(dial, plain.frontend(dial, on: cluster.node), count: 40).names.count == 3)
        }
    }

    @Test("a client's backend outlives the agent, also when endpoints were away shortly before (LIFE-6)")
    func restart() throws {
        try withCluster { cluster in
            let service = Self.sticky(cluster)
            try cluster.publish(service, cluster.endpoints)
            try cluster.publish(service, [])
            try cluster.publish(service, cluster.endpoints)
            let dial = Dial(transport: .tcp, family: .v4)
            let frontend = service.frontend(dial, on: cluster.node)
            let first = try #require(try Self.server(cluster.client, dial, frontend))
            try cluster.killAgent()
            #expect(try Self.server(cluster.client, dial, frontend) == first)
            try cluster.startAgent()
            #expect(try Self.server(cluster.client, dial, frontend) == first)
        }
    }
}
