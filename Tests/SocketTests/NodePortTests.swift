// Node ports: on which addresses they are served, where they are not, and how they follow the node's addresses.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Node ports at the socket", .serialized, .cluster(.init(hasRemoteServer: true)), .timeLimit(.minutes(2)))
struct NodePortTests {
    /// Serves on a host's address for as long as the body runs: who gets through there was not translated.
    private static func withServer(
        _ host: Probe, _ dial: Dial, _ address: SocketAddress, _ body: () throws -> Void
    ) throws {
        let server = try host.serve(dial.transport, port: address.port, address: address.address, as: "untouched")
        try body()
        try server.stop()
    }

    @Test("the node's own IP serves, its other addresses do not (NP-1)", arguments: Dial.every)
    func primaryOnly(_ dial: Dial) throws {
        try withCluster { cluster in
            let node = cluster.node
            let service = cluster.makeService(nodePort: true)
            let other = dial.family == .v6 ? ("fd60::1", "128") : ("192.168.60.1", "32")
            try node.addAddress("\(other.0)/\(other.1)", to: "lo")
            try cluster.publish(service, cluster.endpoints)
            let served = service.frontend(.nodePort, dial, on: node)
            let unserved = SocketAddress(other.0, served.port)
            try Self.withServer(node.host, dial, unserved) { () throws in
                for client in [cluster.client, node.host] {
                    #expect(try client.ask(dial, served, count: 20).names == ["web-1", "web-2", "web-3"])
                    #expect(try client.ask(dial, unserved, count: 3).servers == ["untouched": 3])
                }
            }
            try node.removeAddress("\(other.0)/\(other.1)", from: "lo")
        }
    }

    @Test("another node's address is that node's business (NP-8)", arguments: Dial.every)
    func otherNode(_ dial: Dial) throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true)
            try cluster.publish(service, cluster.endpoints)
            let other = cluster.world.nodes[1]
            let there = service.frontend(.nodePort, dial, on: other)
            try Self.withServer(other.host, dial, there) { () throws in
                for client in [cluster.client, cluster.node.host] {
                    #expect(try client.ask(dial, there, count: 3).servers == ["untouched": 3])
                }
            }
        }
    }

    @Test("loopback is not served, neither the node's nor a pod's own (NP-6)", arguments: Dial.every)
    func loopback(_ dial: Dial) throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true)
            try cluster.publish(service, cluster.endpoints)
            let port = service.frontend(.nodePort, dial, on: cluster.node).port
            let own = SocketAddress(dial.family == .v6 ? "::1" : "127.0.0.1", port)
            for probe in [cluster.client, cluster.node.host] {
                try Self.withServer(probe, dial, own) { () throws in
                    #expect(try probe.ask(dial, own, count: 3).servers == ["untouched": 3])
                }
            }
        }
    }

    @Test(
        "TCP and UDP may have one node port number, each to its own targets (PORT-2)",
        arguments: [HostCalls.AddressFamily.v4, .v6])
    func bothTransports(_ family: HostCalls.AddressFamily) throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true)
            try cluster.publish(
                service,
                slices: [
                    SliceObject([cluster.endpoints[0]], portNames: ["tcp"]),
                    SliceObject([cluster.endpoints[1]], portNames: ["udp"]),
                ])
            for (transport, server) in [(Transport.tcp, "web-1"), (.udp, "web-2")] {
                let frontend = service.frontend(.nodePort, transport, family, on: cluster.node)
                #expect(try cluster.client.ask(transport, frontend, count: 5).servers == [server: 5])
            }
        }
    }

    @Test("a node port that is taken away is no longer served (SVC-10)", arguments: Dial.plain)
    func removal(_ dial: Dial) throws {
        try withCluster { cluster in
            var service = cluster.makeService(nodePort: true)
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(.nodePort, dial, on: cluster.node)
            #expect(try cluster.client.ask(dial, frontend, count: 3).total == 3)
            for index in service.ports.indices { service.ports[index].nodePort = 0 }
            try cluster.publish(service, cluster.endpoints)
            try Self.withServer(cluster.node.host, dial, frontend) { () throws in
                #expect(try cluster.client.ask(dial, frontend, count: 3).servers == ["untouched": 3])
            }
            #expect(try cluster.client.ask(dial, service.frontend(dial, on: cluster.node)).total == 1)
        }
    }
}

@Suite(
    "Node ports on every address", .serialized, .cluster(.init(tellsAddresses: false)), .timeLimit(.minutes(2)))
struct NodePortAddressTests {
    @Test("without a known node IP all addresses serve, new ones at once (NP-3, NP-5)", arguments: Dial.plain)
    func newAddress(_ dial: Dial) throws {
        try withCluster { cluster in
            let node = cluster.node
            let service = cluster.makeService(nodePort: true)
            try cluster.publish(service, cluster.endpoints)
            let first = service.frontend(.nodePort, dial, on: node)
            #expect(try cluster.client.ask(dial, first, count: 3).total == 3)

            let (address, length) = dial.family == .v6 ? ("fd61::1", 128) : ("192.168.61.1", 32)
            let added = SocketAddress(address, first.port)
            try node.addAddress("\(address)/\(length)", to: "lo")
            #expect(try eventually { try cluster.client.ask(dial, added, timeout: .milliseconds(200)).total == 1 })
            #expect(try node.host.ask(dial, added, count: 20).names == ["web-1", "web-2", "web-3"])

            try node.removeAddress("\(address)/\(length)", from: "lo")
            #expect(try eventually { try cluster.client.ask(dial, added, timeout: .milliseconds(200)).total == 0 })
            #expect(try cluster.client.ask(dial, first, count: 3).total == 3)
        }
    }

    @Test("a pod's own loopback is never taken for the node's")
    func podLoopback() throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true)
            try cluster.publish(service, cluster.endpoints)
            let port = service.frontend(.nodePort, .tcp, .v4, on: cluster.node).port
            for address in ["127.0.0.1", "::1"] {
                let server = try cluster.client.serve(.tcp, port: port, address: address, as: "untouched")
                #expect(try cluster.client.ask(.tcp, address, port).servers == ["untouched": 1])
                try server.stop()
            }
        }
    }
}
