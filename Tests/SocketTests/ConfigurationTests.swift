// What configuration changes about the socket datapath, each in a world of its own.

import HostCalls
import ProbeProtocol
import Testing
import World

/// Settings with their effect on sockets. One world for each suite, since settings are those of an agent.
@Suite("Configured node ports")
enum ConfiguredNodePorts {
    private static let ranges = Cluster.Layout(configuration: ["nodePortAddresses: [192.168.60.0/24, \"fd60::/64\"]"])
    private static let everything = Cluster.Layout(
        configuration: ["nodePortAddresses: [192.168.60.0/24, 0.0.0.0/0, \"::/0\", \"fd60::/64\"]"])
    private static let localhost = Cluster.Layout(
        configuration: ["localhostNodePorts: true", "nodePortAddresses: [127.0.0.0/8, 192.168.50.0/24]"])

    @Suite("on ranges of addresses", .serialized, .cluster(ranges), .timeLimit(.minutes(1)))
    struct Ranges {
        @Test(
            "while the node has no address inside the ranges node ports are left out and nothing else (NP-9)",
            arguments: Dial.plain)
        func nothingMatches(_ dial: Dial) throws {
            try withCluster { cluster in
                let service = cluster.makeService(nodePort: true, external: true)
                try cluster.publish(service, cluster.endpoints)
                let nodePort = service.frontend(.nodePort, dial, on: cluster.node)
                #expect(try cluster.answersOnNode(dial, at: nodePort) == ["untouched"])
                for kind in [FrontendKind.clusterIP, .externalIP, .loadBalancer] {
                    let answers = try cluster.client.ask(
                        dial, service.frontend(kind, dial, on: cluster.node), count: 30)
                    #expect(answers.names == ["web-1", "web-2", "web-3"], "\(kind) \(answers)")
                }
            }
        }

        @Test(
            "an address inside the ranges is served as soon as the node has it, no other one is (NP-2, NP-7)",
            arguments: Dial.plain)
        func newAddress(_ dial: Dial) throws {
            try withCluster { cluster in
                let node = cluster.node
                let service = cluster.makeService(nodePort: true)
                try cluster.publish(service, cluster.endpoints)
                let isV6 = dial.family == .v6
                let primary = service.frontend(.nodePort, dial, on: node)
                let inside = SocketAddress(isV6 ? "fd60::1" : "192.168.60.1", primary.port)
                let outside = SocketAddress(isV6 ? "fd61::1" : "192.168.61.1", primary.port)
                for address in [inside, outside] {
                    try node.addAddress("\(address.address)/\(isV6 ? 128 : 32)", to: "lo")
                }
                #expect(try eventually { try cluster.client.ask(dial, inside, timeout: .milliseconds(200)).total == 1 })
                #expect(try refusal { try node.host.bind(dial.transport, inside.address, inside.port) } == "EADDRINUSE")
                for address in [primary, outside] {
                    #expect(try cluster.client.ask(dial, address).errors == ["ECONNREFUSED": 1])
                    #expect(try refusal { try node.host.bind(dial.transport, address.address, address.port) } == nil)
                }
                for address in [inside, outside] {
                    try node.removeAddress("\(address.address)/\(isV6 ? 128 : 32)", from: "lo")
                }
                #expect(try eventually { try cluster.client.ask(dial, inside, timeout: .milliseconds(200)).total == 0 })
            }
        }
    }

    @Suite("on a range of everything", .serialized, .cluster(everything), .timeLimit(.minutes(1)))
    struct Everything {
        @Test("a /0 among the ranges is all addresses but loopback (NP-4)", arguments: Dial.plain)
        func allAddresses(_ dial: Dial) throws {
            try withCluster { cluster in
                let node = cluster.node
                let service = cluster.makeService(nodePort: true)
                try cluster.publish(service, cluster.endpoints)
                let isV6 = dial.family == .v6
                let primary = service.frontend(.nodePort, dial, on: node)
                let outside = SocketAddress(isV6 ? "fd61::1" : "192.168.61.1", primary.port)
                try node.addAddress("\(outside.address)/\(isV6 ? 128 : 32)", to: "lo")
                #expect(
                    try eventually { try cluster.client.ask(dial, outside, timeout: .milliseconds(200)).total == 1 })
                for address in [primary, outside] {
                    for client in [cluster.client, node.host] {
                        #expect(try client.ask(dial, address, count: 20).names == ["web-1", "web-2", "web-3"])
                    }
                }
                let loopback = SocketAddress(isV6 ? "::1" : "127.0.0.1", primary.port)
                #expect(try node.host.ask(dial, loopback).errors == ["ECONNREFUSED": 1])
                try node.removeAddress("\(outside.address)/\(isV6 ? 128 : 32)", from: "lo")
            }
        }
    }

    @Suite("on loopback", .serialized, .cluster(localhost), .timeLimit(.minutes(1)))
    struct Loopback {
        @Test(
            "127.0.0.1 serves this node's own processes and nobody else's (NP-6)",
            arguments: Dial.every.filter { $0.family != .v6 })
        func loopback(_ dial: Dial) throws {
            try withCluster { cluster in
                let service = cluster.makeService(nodePort: true)
                try cluster.publish(service, cluster.endpoints)
                let own = SocketAddress("127.0.0.1", service.frontend(.nodePort, dial, on: cluster.node).port)
                let answers = try cluster.node.host.ask(dial, own, count: 20)
                #expect(answers.names == ["web-1", "web-2", "web-3"])
                #expect(answers.peers == [dial.shown(own).description: 20])
                #expect(
                    try refusal { try cluster.node.host.bind(dial.transport, "127.0.0.1", own.port) } == "EADDRINUSE")
                let server = try cluster.client.serve(
                    dial.transport, port: own.port, address: own.address, as: "untouched")
                #expect(try cluster.client.ask(dial, own, count: 3).servers == ["untouched": 3])
                try server.stop()
            }
        }
    }
}

@Suite(
    "Without a local detector", .serialized,
    .cluster(.init(hasRemoteServer: true, configuration: ["detectLocal: {mode: ClusterCIDR}"])), .timeLimit(.minutes(1))
)
struct NoDetectorTests {
    @Test(
        "pods get the local endpoints of an external policy Local, or silence; the node all of them (TP-7, TP-8)",
        arguments: [FrontendKind.nodePort, .externalIP, .loadBalancer], Dial.every)
    func externalLocal(_ kind: FrontendKind, _ dial: Dial) throws {
        try withCluster { cluster in
            var service = cluster.makeService(nodePort: true, external: true)
            service.isExternalLocal = true
            try cluster.publish(service, [cluster.remoteEndpoint])
            let frontend = service.frontend(kind, dial, on: cluster.node)
            #expect(try cluster.client.failure(dial, frontend) == dial.dropped)
            #expect(try cluster.node.host.ask(dial, frontend, count: 3).servers == ["far-1": 3])

            try cluster.publish(service, [cluster.endpoints[0], cluster.remoteEndpoint])
            #expect(try cluster.client.ask(dial, frontend, count: 10).servers == ["web-1": 10])
            #expect(try cluster.node.host.ask(dial, frontend, count: 30).names == ["web-1", "far-1"])

            try cluster.publish(service, [])
            #expect(try cluster.client.ask(dial, frontend).errors == ["ECONNREFUSED": 1])
        }
    }

    @Test(
        "a terminating endpoint here serves an external policy Local although a remote one is ready (EP-14)",
        arguments: [FrontendKind.nodePort, .externalIP, .loadBalancer], Dial.plain)
    func localFallback(_ kind: FrontendKind, _ dial: Dial) throws {
        try withCluster { cluster in
            var service = cluster.makeService(nodePort: true, external: true)
            service.isExternalLocal = true
            let frontend = service.frontend(kind, dial, on: cluster.node)
            try cluster.publish(service, [cluster.endpoints[0].terminating, cluster.remoteEndpoint])
            #expect(try cluster.client.ask(dial, frontend, count: 10).servers == ["web-1": 10])
            #expect(try cluster.node.host.ask(dial, frontend, count: 10).servers == ["far-1": 10])
            try cluster.publish(
                service, [cluster.endpoints[0].terminating, cluster.endpoints[1], cluster.remoteEndpoint])
            #expect(try cluster.client.ask(dial, frontend, count: 10).servers == ["web-2": 10])
        }
    }
}

@Suite(
    "Terminating TCP connections", .serialized, .cluster(.init(configuration: ["terminateTCPConnections: true"])),
    .timeLimit(.minutes(1)))
struct TerminatingTCPTests {
    @Test(
        "connections to an endpoint that stopped serving are cut, all others live",
        arguments: HostCalls.AddressFamily.allCases)
    func terminates(_ family: HostCalls.AddressFamily) throws {
        try withCluster { cluster in
            let dial = Dial(transport: .tcp, family: family)
            let service = cluster.makeService()
            let frontend = service.frontend(dial, on: cluster.node)
            try cluster.publish(service, [cluster.endpoints[0]])
            let stale = try [cluster.client, cluster.node.host].map { try $0.connect(dial, frontend) }
            let direct = try cluster.client.connect(dial, SocketAddress(cluster.servers[0].address(family), 8080))
            try cluster.publish(service, [cluster.endpoints[0].terminating, cluster.endpoints[1]])
            try cluster.settle()
            for socket in stale { #expect(try socket.request().server == "web-1") }
            try cluster.publish(service, [cluster.endpoints[1]])
            try cluster.settle()
            for socket in stale { #expect(try socket.check() == CheckAlive.Reply(alive: false, error: "ECONNABORTED")) }
            #expect(try direct.request().server == "web-1")
            #expect(try cluster.client.ask(dial, frontend).servers == ["web-2": 1])
        }
    }
}

@Suite(
    "A short grace period", .serialized,
    .cluster(.init(configuration: ["gracePeriod: 1s", "bindProtection: false"])), .timeLimit(.minutes(1)))
struct ShortGraceTests {
    @Test("a socket of a deleted service is not taken for one of the service that got its id")
    func reusedIdentifier() throws {
        try withCluster { cluster in
            let old = cluster.makeService()
            try cluster.publish(old, [cluster.endpoints[0]])
            let socket = try cluster.client.connect(.udp, old.frontend(.clusterIP, .udp, .v4, on: cluster.node))
            try cluster.remove(old)
            // Identifiers come round late: after at least 1024 others.
            for _ in 0..<3 {
                let many = (0..<240).map { _ in cluster.makeService() }
                for service in many { cluster.prepare { $0.set(service, [SliceObject([cluster.endpoints[0]])]) } }
                try cluster.settle()
                for service in many { cluster.prepare { $0.set(service, [SliceObject([cluster.endpoints[1]])]) } }
                try cluster.settle()
                for service in many { cluster.prepare { $0.remove(service) } }
                try cluster.settle()
                pause(milliseconds: 1400)
            }
            #expect(try socket.request().server == "web-1")
        }
    }

    @Test("held connections and new ones are right while space is reused as fast as it can be")
    func churn() throws {
        try withCluster { cluster in
            let stable = cluster.makeService()
            try cluster.publish(stable, cluster.endpoints)
            let frontend = stable.frontend(.clusterIP, .tcp, .v4, on: cluster.node)
            let held = try cluster.client.startLoad(
                .udp, frontend.address, frontend.port, mode: .hold, concurrency: 8, rest: .milliseconds(1))
            let fresh = try cluster.client.startLoad(.tcp, frontend.address, frontend.port, mode: .new, concurrency: 4)
            for round in 0..<20 {
                let other = cluster.makeService()
                let endpoints = [cluster.endpoints[round % 3], cluster.endpoints[(round + 1) % 3]]
                try cluster.publish(other, endpoints)
                let answers = try cluster.client.ask(
                    .tcp, other.frontend(.clusterIP, .tcp, .v4, on: cluster.node), count: 20)
                #expect(
                    answers.names == Set([round % 3, (round + 1) % 3].map { cluster.servers[$0].name }), "\(answers)")
                cluster.prepare { $0.remove(other) }
                pause(milliseconds: 150)
            }
            for load in [held, fresh] {
                let result = try load.stop()
                #expect(result.failed == 0 && result.misdirected == 0 && result.ok > 0, "\(result)")
            }
        }
    }

    @Test("without bind protection the host may listen on a node port")
    func bindProtectionOff() throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true)
            try cluster.publish(service, cluster.endpoints)
            let port = service.frontend(.nodePort, .tcp, .v4, on: cluster.node).port
            #expect(try refusal { try cluster.node.host.bind(.tcp, "0.0.0.0", port) } == nil)
            #expect(try refusal { try cluster.node.host.bind(.udp, "::", port) } == nil)
        }
    }
}
