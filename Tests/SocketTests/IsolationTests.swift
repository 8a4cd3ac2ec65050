// Whom the hooks serve and whom they leave alone: cgroups that opt out, sockets of other cgroups, other agents' nodes.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Isolation", .timeLimit(.minutes(2)))
struct IsolationTests {
    /// Gives the node itself the service's ClusterIPs, with servers: whoever gets there was not translated.
    private static func serveUntouched(_ service: ServiceObject, on node: Node) throws {
        for address in service.clusterIPs {
            try node.addAddress("\(address)/\(address.contains(":") ? 128 : 32)", to: "lo")
            for transport in [Transport.tcp, .udp] {
                try node.host.serve(transport, port: 80, address: address, as: "untouched")
            }
        }
    }

    @Test(
        "a pod in a skipped cgroup is left alone, its siblings are served; sockets outside of the cgroup are never seen"
    )
    func skippedCgroup() async throws {
        try await withOwnCluster(.init(skippedPod: "mesh")) { cluster in
            let skipped = try #require(cluster.skippedPod)
            let stranger = try cluster.world.addClient(
                "stranger", addresses: ["198.51.100.7", "2001:db8:7::7"], behind: cluster.node)
            let service = cluster.makeService()
            try Self.serveUntouched(service, on: cluster.node)
            try cluster.publish(service, cluster.endpoints)
            for dial in Dial.every {
                let frontend = service.frontend(dial, on: cluster.node)
                for left in [skipped, stranger] {
                    #expect(try left.ask(dial, frontend, count: 3).servers == ["untouched": 3], "\(left.name) \(dial)")
                }
                for served in [cluster.client, cluster.node.host] {
                    #expect(try served.ask(dial, frontend, count: 20).names == ["web-1", "web-2", "web-3"])
                }
            }
            // Refusals are for those who are served as well.
            try cluster.publish(service, [])
            let unknown = SocketAddress(service.clusterIPs[0], 81)
            for dial in Dial.plain where dial.family == .v4 {
                let frontend = service.frontend(dial, on: cluster.node)
                for left in [skipped, stranger] {
                    #expect(try left.ask(dial, frontend).servers == ["untouched": 1])
                }
                #expect(try cluster.client.ask(dial, frontend).errors == ["ECONNREFUSED": 1])
            }
            try cluster.node.host.serve(.tcp, port: 81, address: unknown.address, as: "untouched")
            for left in [skipped, stranger] { #expect(try left.ask(.tcp, unknown).servers == ["untouched": 1]) }
            #expect(try cluster.client.ask(.tcp, unknown).errors == ["ECONNREFUSED": 1])
        }
    }

    @Test("two agents of two nodes on one machine do not disturb each other")
    func twoAgents() async throws {
        try await withWorld { world in
            let first = try Cluster(.init(servers: 2), in: world)
            let second = try Cluster(.init(name: "worker-2", subnet: 2, servers: 2), in: world)
            let service = first.makeService(nodePort: true)
            let namesake = second.makeService(nodePort: true)
            #expect(service.clusterIPs == namesake.clusterIPs)
            try first.publish(service, first.endpoints)
            try second.publish(namesake, second.endpoints)
            for dial in Dial.every {
                let frontend = service.frontend(dial, on: first.node)
                #expect(try first.client.ask(dial, frontend, count: 20).names == Set(first.servers.map(\.name)))
                #expect(try second.client.ask(dial, frontend, count: 20).names == Set(second.servers.map(\.name)))
                // A node port belongs to its node.
                let there = namesake.frontend(.nodePort, dial, on: second.node)
                #expect(try first.client.ask(dial, there).total == 0)
                #expect(try second.client.ask(dial, there).total == 1)
            }
            let frontend = service.frontend(.clusterIP, .udp, .v4, on: first.node)
            let sockets = try [first.client, second.client].map { try $0.connect(.udp, frontend) }
            let bystander = try sockets[1].request().server
            try first.publish(service, [])
            try first.publish(service, [])
            #expect(try first.client.ask(.udp, frontend).errors == ["ECONNREFUSED": 1])
            #expect(try second.client.ask(.udp, frontend, count: 5).total == 5)
            try first.remove(service)
            try first.killAgent()
            #expect(try sockets[1].request().server == bystander)
            #expect(try second.client.ask(.tcp, frontend.address, 80, count: 10).total == 10)
            try second.publish(namesake, [second.endpoints[0]])
            #expect(
                try second.client.ask(.tcp, frontend.address, 80, count: 10).servers == [second.servers[0].name: 10])
        }
    }

    @Test("a second agent on the same pin folder refuses to start, and the first goes on")
    func samePinFolder() async throws {
        try await withOwnCluster { cluster in
            let service = cluster.makeService()
            try cluster.publish(service, cluster.endpoints)
            let other = try cluster.spawnAgent()
            let status = other.wait(within: .seconds(10))
            #expect(status != nil && status != .exited(0), "\(other.errorOutput)")
            #expect(other.errorOutput.contains("another martlet agent is using the pin folder"), "\(other.errorOutput)")
            let frontend = service.frontend(.clusterIP, .tcp, .v4, on: cluster.node)
            #expect(try cluster.client.ask(.tcp, frontend, count: 5).total == 5)
            try cluster.publish(service, [cluster.endpoints[0]])
            #expect(try cluster.client.ask(.tcp, frontend, count: 5).servers == ["web-1": 5])
        }
    }
}
