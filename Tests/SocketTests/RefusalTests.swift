// When nothing can serve: refused at once where no endpoint is left, dropped (which a program sees at once as well, by
// decision 2) where a policy forbids those that are, and untouched where no service is concerned.

import Datapath
import HostCalls
import ProbeProtocol
import Testing
import World

private let layout = Cluster.Layout(hasRemoteServer: true, serviceCIDRs: ["172.30.0.0/16", "fd99::/112"])

@Suite("Refusals and drops", .serialized, .cluster(layout), .timeLimit(.minutes(2)))
struct RefusalTests {
    @Test(
        "a service without endpoints refuses, on every kind of frontend (REJ-1, REJ-2)",
        arguments: FrontendKind.allCases,
        Dial.every)
    func noEndpoints(_ kind: FrontendKind, _ dial: Dial) throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true, external: true)
            try cluster.publish(service, [])
            for client in [cluster.client, cluster.node.host] {
                let frontend = service.frontend(kind, dial, on: cluster.node)
                #expect(try client.failure(dial, frontend) == dial.refused)
            }
        }
    }

    @Test("endpoints come, go and come again (REJ-5)", arguments: Dial.every)
    func transitions(_ dial: Dial) throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            let frontend = service.frontend(dial, on: cluster.node)
            for _ in 0..<2 {
                try cluster.publish(service, [])
                #expect(try cluster.client.failure(dial, frontend) == dial.refused)
                try cluster.publish(service, [cluster.endpoints[0]])
                #expect(try cluster.client.ask(dial, frontend, count: 3).servers == ["web-1": 3])
            }
            try cluster.publish(service, [cluster.endpoints[0].unready])
            #expect(try cluster.client.failure(dial, frontend) == dial.refused)
            try cluster.publish(service, [cluster.endpoints[0].terminating])
            #expect(try cluster.client.ask(dial, frontend, count: 3).servers == ["web-1": 3])
        }
    }

    @Test("one socket sees a service without endpoints come back (REJ-5)", arguments: HostCalls.AddressFamily.allCases)
    func transitionsOfOneSocket(_ family: HostCalls.AddressFamily) throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            let frontend = service.frontend(.clusterIP, .udp, family, on: cluster.node)
            let socket = try cluster.client.openDatagram(family)
            for _ in 0..<2 {
                try cluster.publish(service, [])
                #expect(try refusal { try socket.send(to: frontend) } == "ECONNREFUSED")
                try cluster.publish(service, [cluster.endpoints[0]])
                #expect(try socket.request(to: frontend).server == "web-1")
            }
        }
    }

    @Test(
        "an internal policy Local with remote endpoints only drops, and refuses without any (TP-3)",
        arguments: Dial.every)
    func internalLocal(_ dial: Dial) throws {
        try withCluster { cluster in
            var service = cluster.makeService(nodePort: true)
            service.isInternalLocal = true
            try cluster.publish(service, [cluster.remoteEndpoint])
            let frontend = service.frontend(dial, on: cluster.node)
            for client in [cluster.client, cluster.node.host] {
                #expect(try client.failure(dial, frontend) == dial.dropped)
                // The node port follows the other policy (TP-2).
                let nodePort = service.frontend(.nodePort, dial, on: cluster.node)
                #expect(try client.ask(dial, nodePort, count: 3).servers == ["far-1": 3])
            }
            try cluster.publish(service, [cluster.endpoints[0], cluster.remoteEndpoint])
            #expect(try cluster.client.ask(dial, frontend, count: 10).servers == ["web-1": 10])
            try cluster.publish(service, [cluster.remoteEndpoint.unready])
            #expect(try cluster.client.failure(dial, frontend) == dial.refused)
        }
    }

    @Test(
        "an external policy Local does not bind the node's own pods and processes (TP-6)",
        arguments: [FrontendKind.nodePort, .externalIP, .loadBalancer], Dial.plain)
    func shortCircuit(_ kind: FrontendKind, _ dial: Dial) throws {
        try withCluster { cluster in
            var service = cluster.makeService(nodePort: true, external: true)
            service.isExternalLocal = true
            try cluster.publish(service, [cluster.remoteEndpoint])
            let frontend = service.frontend(kind, dial, on: cluster.node)
            for client in [cluster.client, cluster.node.host] {
                #expect(try client.ask(dial, frontend, count: 3).servers == ["far-1": 3])
            }
            try cluster.publish(service, [cluster.endpoints[0], cluster.remoteEndpoint])
            #expect(try cluster.client.ask(dial, frontend, count: 30).names == ["web-1", "far-1"])
        }
    }

    @Test("a port that a ClusterIP does not have is refused (SVC-12, PORT-3)", arguments: Dial.every)
    func unknownPort(_ dial: Dial) throws {
        try withCluster { cluster in
            var service = cluster.makeService()
            service.ports = [
                .init(name: "udp", transport: .udp, number: 53), .init(name: "tcp", transport: .tcp, number: 80),
            ]
            try cluster.publish(service, cluster.endpoints)
            let address = service.frontend(dial, on: cluster.node).address
            // A UDP socket may connect to a port that is served for TCP: see the next test.
            let otherProtocols: [UInt16] = dial.transport == .tcp ? [53] : dial.isUnconnected ? [80] : []
            for port in [81] + otherProtocols {
                let frontend = SocketAddress(address, port)
                #expect(try cluster.client.failure(dial, frontend) == dial.refused)
                #expect(try cluster.node.host.failure(dial, frontend) == dial.refused)
            }
        }
    }

    @Test(
        "a resolver that compares addresses by connecting a UDP socket finds a virtual one usable, and none refused",
        arguments: [80, 9, 65535, 0] as [UInt16], HostCalls.AddressFamily.allCases)
    func resolverProbe(_ port: UInt16, _ family: HostCalls.AddressFamily) throws {
        try withCluster { cluster in
            var service = cluster.makeService()
            service.ports = [.init(name: "tcp", transport: .tcp, number: 80)]
            try cluster.publish(service, cluster.endpoints)
            let refused = try cluster.maps.count(of: .unknownPort)
            let probed = SocketAddress(service.frontend(.clusterIP, .tcp, family, on: cluster.node).address, port)
            let socket = try cluster.client.openDatagram(family)
            try socket.reconnect(to: probed)
            #expect(try socket.local().unmapped.address == cluster.client.address(family))
            #expect(try cluster.maps.count(of: .unknownPort) == refused)
            // A datagram that names the address is refused as ever.
            if port != 0 {
                let other = try cluster.client.openDatagram(family)
                #expect(try refusal { try other.send(to: probed) } == "ECONNREFUSED")
            }
        }
    }

    @Test(
        "an address of a ServiceCIDR that nobody owns is silence, and a service's once it has it (SVC-12)",
        arguments: Dial.every)
    func unownedAddress(_ dial: Dial) throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            let frontend = service.frontend(dial, on: cluster.node)
            #expect(try cluster.client.failure(dial, frontend) == dial.dropped)
            try cluster.publish(service, [cluster.endpoints[0]])
            #expect(try cluster.client.ask(dial, frontend, count: 3).servers == ["web-1": 3])
            try cluster.remove(service)
            #expect(try cluster.client.failure(dial, frontend) == dial.dropped)
        }
    }

    @Test("another port of an ExternalIP, a load balancer or the node is none of our business", arguments: Dial.every)
    func otherPorts(_ dial: Dial) throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true, external: true)
            try cluster.publish(service, cluster.endpoints)
            let node = cluster.node
            let host = try node.host.serve(dial.transport, port: 7777)
            for kind in [FrontendKind.externalIP, .loadBalancer] {
                let address = service.frontend(kind, dial, on: node).address
                let range = address.contains(":") ? "128" : "32"
                try node.addAddress("\(address)/\(range)", to: "lo")
                let answers = try cluster.client.ask(dial, SocketAddress(address, 7777))
                #expect(answers.names == [node.name], "\(kind) \(answers)")
                try node.removeAddress("\(address)/\(range)", from: "lo")
            }
            let own = SocketAddress(node.host.address(dial.family), 7777)
            #expect(try cluster.client.ask(dial, own).names == [node.name])
            try host.stop()
        }
    }

    @Test("a family without endpoints refuses although the other has some (DS-2)", arguments: Dial.plain)
    func familiesApart(_ dial: Dial) throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            var endpoint = cluster.endpoints[0]
            endpoint.addresses = endpoint.addresses.filter { $0.contains(":") != (dial.family == .v6) }
            try cluster.publish(service, [endpoint])
            let frontend = service.frontend(dial, on: cluster.node)
            #expect(try cluster.client.failure(dial, frontend) == dial.refused)
            let other = Dial(transport: dial.transport, family: dial.family == .v6 ? .v4 : .v6)
            #expect(try cluster.client.ask(other, service.frontend(other, on: cluster.node)).names == ["web-1"])
        }
    }

    @Test(
        "load-balancer source ranges bind pods and the node, on the load balancer's address only (LBSR-1 to LBSR-3)",
        arguments: Dial.every)
    func sourceRanges(_ dial: Dial) throws {
        try withCluster { cluster in
            var service = cluster.makeService(nodePort: true, external: true)
            func publish(_ ranges: [String]) throws {
                service.sourceRanges = ranges
                try cluster.publish(service, cluster.endpoints)
            }
            let balancer = service.frontend(.loadBalancer, dial, on: cluster.node)
            try publish(["203.0.113.0/25", "2001:db8:9::/64"])
            for client in [cluster.client, cluster.node.host] {
                #expect(try client.failure(dial, balancer) == dial.dropped)
                for kind in [FrontendKind.clusterIP, .nodePort, .externalIP] {
                    let frontend = service.frontend(kind, dial, on: cluster.node)
                    #expect(try client.ask(dial, frontend, count: 2).total == 2)
                }
            }
            try publish(["10.0.0.0/8", "fd00::/16"])
            #expect(try cluster.client.ask(dial, balancer, count: 2).total == 2)
            #expect(try cluster.node.host.failure(dial, balancer) == dial.dropped)
            try publish(["192.168.50.0/24", "fd50::/64"])
            #expect(try cluster.client.failure(dial, balancer) == dial.dropped)
            #expect(try cluster.node.host.ask(dial, balancer, count: 2).total == 2)
            try publish([])
            #expect(try cluster.client.ask(dial, balancer, count: 2).total == 2)
        }
    }
}
