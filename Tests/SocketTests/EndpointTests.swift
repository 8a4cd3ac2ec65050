// Which endpoints the rules let through, end to end for a few of them; the rules themselves are tested in
// LoadBalancingTests, one by one.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Endpoints at the socket", .serialized, .cluster(.init(hasRemoteServer: true)), .timeLimit(.minutes(2)))
struct EndpointTests {
    /// Who answers.
    private static func names(_ cluster: Cluster, _ service: ServiceObject, count: Int = 30) throws -> Set<String> {
        var names: Set<String> = []
        for dial in [Dial(transport: .tcp, family: .v4), Dial(transport: .udp, family: .v6)] {
            let answers = try cluster.client.ask(dial, service.frontend(dial, on: cluster.node), count: count)
            if answers.total != count { return ["failures: \(answers.errors)"] }
            if !names.isEmpty && names != answers.names { return ["\(names) and \(answers.names)"] }
            names = answers.names
        }
        return names
    }

    @Test("ready endpoints are used, others only when they terminate and nothing is ready (EP-11, EP-13)")
    func conditions() throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            let all = cluster.endpoints
            try cluster.publish(service, [all[0], all[1].unready, all[2].terminating])
            #expect(try Self.names(cluster, service) == ["web-1"])
            try cluster.publish(service, [all[0].unready, all[1].terminating, all[2].terminating])
            #expect(try Self.names(cluster, service) == ["web-2", "web-3"])
            try cluster.publish(service, [all[0].terminating, all[1], all[2].terminating])
            #expect(try Self.names(cluster, service) == ["web-2"])
        }
    }

    @Test(
        "with an internal policy Local a terminating endpoint here serves although a remote one is ready (EP-14)",
        arguments: Dial.plain)
    func localFallback(_ dial: Dial) throws {
        try withCluster { cluster in
            var service = cluster.makeService(nodePort: true)
            service.isInternalLocal = true
            let (all, remote) = (cluster.endpoints, try cluster.remoteEndpoint)
            /// Publishes, and says who answers at the ClusterIP, by the local list, and at the node port, by the other.
            func names(_ endpoints: [EndpointObject]) throws -> [Set<String>] {
                try cluster.publish(service, endpoints)
                return try [FrontendKind.clusterIP, .nodePort].map { kind in
                    let frontend = service.frontend(kind, dial, on: cluster.node)
                    let answers = try cluster.client.ask(dial, frontend, count: 30)
                    return answers.names.union(answers.errors.keys)
                }
            }
            #expect(try names([all[0].terminating, all[1].unready, remote]) == [["web-1"], ["far-1"]])
            #expect(try names([all[0].terminating, remote.terminating]) == [["web-1"], ["web-1", "far-1"]])
            #expect(try names([all[0].terminating, all[1], remote]) == [["web-2"], ["web-2", "far-1"]])
            try cluster.publish(service, [all[0].unready, remote])
            #expect(try cluster.client.failure(dial, service.frontend(dial, on: cluster.node)) == dial.dropped)
        }
    }

    @Test("an endpoint that is published although not ready is used (EP-16)")
    func publishedNotReady() throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            var endpoint = cluster.endpoints[0]
            (endpoint.isReady, endpoint.isServing, endpoint.isTerminating) = (true, false, true)
            try cluster.publish(service, [endpoint])
            #expect(try Self.names(cluster, service) == ["web-1"])
        }
    }

    @Test("hints for this zone and this node are followed, unless one is missing (TOPO-1, TOPO-2, TOPO-5)")
    func hints() throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            let all = cluster.endpoints
            let zones = [
                all[0].hinted(zones: ["zone-a"]), all[1].hinted(zones: ["zone-b"]), all[2].hinted(zones: ["zone-b"]),
            ]
            try cluster.publish(service, zones)
            #expect(try Self.names(cluster, service) == ["web-1"])
            try cluster.publish(service, zones.dropLast() + [all[2]])
            #expect(try Self.names(cluster, service) == ["web-1", "web-2", "web-3"])
            try cluster.publish(
                service,
                [
                    all[0].hinted(zones: ["zone-a"], nodes: ["worker-2"]),
                    all[1].hinted(zones: ["zone-b"], nodes: ["worker-1"]),
                ])
            #expect(try Self.names(cluster, service) == ["web-2"])
        }
    }

    @Test("a node that moves to another zone gets that zone's endpoints (TOPO-8)")
    func zoneChange() throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            let all = cluster.endpoints
            try cluster.publish(service, [all[0].hinted(zones: ["zone-a"]), all[1].hinted(zones: ["zone-b"])])
            #expect(try Self.names(cluster, service) == ["web-1"])
            for (zone, server) in [("zone-b", "web-2"), ("zone-a", "web-1")] {
                cluster.prepare {
                    $0.setNode(cluster.name, zone: zone, addresses: cluster.node.addresses, podCIDRs: cluster.podCIDRs)
                }
                try cluster.settle()
                #expect(try Self.names(cluster, service) == [server])
            }
        }
    }

    @Test("slices are united, each with its own port numbers (EP-7)")
    func slicesWithDifferentPorts() throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            for server in cluster.servers {
                _ = try? server.serve(.tcp, port: 8082)
                _ = try? server.serve(.udp, port: 8082)
            }
            try cluster.publish(
                service,
                slices: [
                    SliceObject([cluster.endpoints[0]]),
                    SliceObject([cluster.endpoints[0], cluster.endpoints[1]], port: 8082),
                ])
            let frontend = service.frontend(.clusterIP, .tcp, .v4, on: cluster.node)
            let answers = try cluster.client.ask(.tcp, frontend, count: 60)
            #expect(Set(answers.locals.keys) == ["10.0.1.11:8080", "10.0.1.11:8082", "10.0.1.12:8082"])
        }
    }

    @Test("an endpoint in two slices counts once (EP-12)")
    func duplicates() throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            let all = cluster.endpoints
            try cluster.publish(service, slices: [SliceObject([all[0]]), SliceObject([all[0], all[1]])])
            let frontend = service.frontend(.clusterIP, .tcp, .v4, on: cluster.node)
            let answers = try cluster.client.ask(.tcp, frontend, count: 600)
            #expect((230...370).contains(answers.servers["web-1"] ?? 0), "\(answers)")
        }
    }

    @Test("an endpoint that is terminating in one slice and ready in another is ready (EP-17)")
    func duplicateConditions() throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            let (first, second) = (cluster.endpoints[0], cluster.endpoints[1])
            for slices in [[[first.terminating], [first]], [[first], [first.terminating]]] {
                try cluster.publish(
                    service, slices: slices.map { SliceObject($0) } + [SliceObject([second.terminating])])
                #expect(try Self.names(cluster, service) == ["web-1"])
            }
        }
    }

    @Test("endpoints of other nodes are reached like local ones")
    func remoteEndpoint() throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            try cluster.publish(service, [cluster.endpoints[0], cluster.remoteEndpoint])
            #expect(try Self.names(cluster, service) == ["web-1", "far-1"])
        }
    }

    @Test("a changed service port is followed, and its open connections go on (SVC-10)", arguments: Dial.connected)
    func portChange(_ dial: Dial) throws {
        try withCluster { cluster in
            var service = cluster.makeService()
            try cluster.publish(service, [cluster.endpoints[0]])
            let before = service.frontend(dial, on: cluster.node)
            let open = try cluster.client.connect(dial, before)
            for index in service.ports.indices { service.ports[index].number = 81 }
            try cluster.publish(service, [cluster.endpoints[0]])
            #expect(try cluster.client.ask(dial, service.frontend(dial, on: cluster.node)).names == ["web-1"])
            #expect(try cluster.client.ask(dial, before).errors == ["ECONNREFUSED": 1])
            #expect(try open.request().server == "web-1")
            #expect(try open.peer() == dial.shown(before))
        }
    }

    @Test("a ClusterIP moves from one service to another without a refused connection in between")
    func addressMoves() throws {
        try withCluster { cluster in
            let first = cluster.makeService()
            var second = cluster.makeService()
            second.clusterIPs = first.clusterIPs
            try cluster.publish(first, [cluster.endpoints[0]])
            let frontend = first.frontend(.clusterIP, .tcp, .v4, on: cluster.node)
            let load = try cluster.client.startLoad(.tcp, frontend.address, frontend.port, mode: .new, concurrency: 4)
            for _ in 0..<3 {
                cluster.prepare { manifests in
                    manifests.remove(first)
                    manifests.set(second, [SliceObject([cluster.endpoints[1]])])
                }
                try cluster.settle()
                #expect(try Self.names(cluster, second) == ["web-2"])
                cluster.prepare { manifests in
                    manifests.remove(second)
                    manifests.set(first, [SliceObject([cluster.endpoints[0]])])
                }
                try cluster.settle()
                #expect(try Self.names(cluster, first) == ["web-1"])
            }
            let result = try load.stop()
            #expect(result.failed == 0 && result.ok > 0, "\(result)")
        }
    }
}
