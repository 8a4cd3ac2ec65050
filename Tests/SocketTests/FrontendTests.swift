// Every kind of frontend, dialled in every way, from a pod and from a host process: who answers, and what the client
// believes to talk to.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Frontends at the socket", .serialized, .cluster(), .timeLimit(.minutes(2)))
struct FrontendTests {
    @Test(
        "each kind is answered by all backends, and the peer is the frontend (SVC-1, SVC-3, SVC-4, SVC-5)",
        arguments: FrontendKind.allCases, Dial.every)
    func answers(_ kind: FrontendKind, _ dial: Dial) throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true, external: true)
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(kind, dial, on: cluster.node)
            for client in [cluster.client, cluster.node.host] {
                let answers = try client.ask(dial, frontend, count: 40)
                #expect(answers.names == ["web-1", "web-2", "web-3"], "\(client.name): \(answers)")
                #expect(answers.total == 40)
                #expect(answers.peers == [dial.shown(frontend).description: 40])
            }
        }
    }

    @Test("servers see the pod's own address, and a node address for host processes (MASQ-1)", arguments: Dial.every)
    func sourceAddresses(_ dial: Dial) throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(dial, on: cluster.node)
            let pod = cluster.client
            #expect(try pod.ask(dial, frontend).clients == [pod.address(dial.family): 1])
            let node = cluster.node
            #expect(try node.host.ask(dial, frontend).clients == [node.host.address(dial.family): 1])
        }
    }

    @Test(
        "a connected socket's replies come from the frontend (recvfrom)",
        arguments: [HostCalls.AddressFamily.v4, .v6, .mapped])
    func connectedReplies(_ family: HostCalls.AddressFamily) throws {
        try withCluster { cluster in
            let dial = Dial(transport: .udp, family: family)
            let service = cluster.makeService()
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(dial, on: cluster.node)
            let socket = try cluster.client.connect(dial, frontend)
            for _ in 0..<3 {
                try socket.send()
                #expect(try socket.receive().source == dial.shown(frontend))
            }
            #expect(try socket.peer() == dial.shown(frontend))
        }
    }

    @Test("a connection stays with the backend that it was given (BAL-2)", arguments: Dial.connected)
    func oneBackend(_ dial: Dial) throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            try cluster.publish(service, cluster.endpoints)
            let socket = try cluster.client.connect(dial, service.frontend(dial, on: cluster.node))
            let names = try Set((0..<10).map { _ in try socket.request().server })
            #expect(names.count == 1)
        }
    }

    @Test(
        "large requests and replies pass whole (BAL-4)", arguments: Dial.every, [2000, 60_000])
    func largeMessages(_ dial: Dial, _ size: Int) throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(dial, on: cluster.node)
            let answers = try cluster.client.ask(dial, frontend, count: 5, requestSize: size, replySize: size)
            #expect(answers.total == 5, "\(answers)")
        }
    }

    @Test(
        "a Multipath TCP socket sees the frontend as its peer", arguments: [HostCalls.AddressFamily.v4, .v6, .mapped])
    func multipath(_ family: HostCalls.AddressFamily) throws {
        try withCluster { cluster in
            guard try cluster.client.canOpen(.mptcp, family) else { return }
            let dial = Dial(transport: .mptcp, family: family)
            let service = cluster.makeService()
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(dial, on: cluster.node)
            let answers = try cluster.client.ask(dial, frontend, count: 10)
            #expect(answers.peers == [dial.shown(frontend).description: 10], "\(answers)")
        }
    }

    @Test("a pod reaches itself through its service (MASQ-5)", arguments: Dial.every)
    func hairpin(_ dial: Dial) throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true)
            try cluster.publish(service, [cluster.endpoints[0]])
            for kind in [FrontendKind.clusterIP, .nodePort] {
                let frontend = service.frontend(kind, dial, on: cluster.node)
                let answers = try cluster.servers[0].ask(dial, frontend, count: 3)
                #expect(answers.servers == ["web-1": 3])
                #expect(answers.peers == [dial.shown(frontend).description: 3])
            }
        }
    }

    @Test(
        "a server on the node's own address is a backend like any other, and sees the pod's own address (MASQ-7)",
        arguments: FrontendKind.allCases, Dial.every)
    func hostNetworkServer(_ kind: FrontendKind, _ dial: Dial) throws {
        try withCluster { cluster in
            let node = cluster.node
            let server = try node.host.serve(dial.transport, port: 8088, as: "host-network")
            defer { try? server.stop() }
            let service = cluster.makeService(nodePort: true, external: true)
            let onNode = SliceObject([EndpointObject(node.host)], port: 8088)
            try cluster.publish(service, slices: [onNode])
            let frontend = service.frontend(kind, dial, on: node)
            for client in [cluster.client, node.host] {
                let answers = try client.ask(dial, frontend, count: 3)
                #expect(answers.servers == ["host-network": 3], "\(client.name): \(answers)")
                #expect(answers.peers == [dial.shown(frontend).description: 3])
                #expect(answers.clients == [client.address(dial.family): 3])
            }
            try cluster.publish(service, slices: [onNode, SliceObject([cluster.endpoints[0]])])
            for client in [cluster.client, node.host] {
                #expect(try client.ask(dial, frontend, count: 40).names == ["host-network", "web-1"])
            }
        }
    }

    @Test("what is no service is left alone", arguments: Dial.every)
    func directConnections(_ dial: Dial) throws {
        try withCluster { cluster in
            let server = cluster.servers[1]
            let address = SocketAddress(server.address(dial.family), 8080)
            let answers = try cluster.client.ask(dial, address, count: 5)
            #expect(answers.servers == ["web-2": 5])
            #expect(answers.peers == [dial.shown(address).description: 5])
        }
    }

    @Test("ports of one service lead to their own targets (SVC-2)", arguments: Dial.every)
    func ports(_ dial: Dial) throws {
        try withCluster { cluster in
            var service = cluster.makeService()
            service.ports = [
                .init(name: "a", transport: dial.transport, number: 80),
                .init(name: "b", transport: dial.transport, number: 443),
            ]
            try cluster.publish(
                service,
                slices: [
                    SliceObject([cluster.endpoints[0]], portNames: ["a"]),
                    SliceObject([cluster.endpoints[1]], portNames: ["b"]),
                ])
            let first = service.frontend(dial, on: cluster.node)
            #expect(try cluster.client.ask(dial, first, count: 5).servers == ["web-1": 5])
            let second = SocketAddress(first.address, 443)
            #expect(try cluster.client.ask(dial, second, count: 5).servers == ["web-2": 5])
        }
    }
}
