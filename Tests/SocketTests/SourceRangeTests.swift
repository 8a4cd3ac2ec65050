// loadBalancerSourceRanges at the socket, by class of client (decision 5): what order and time have to do with them. Whom
// they bind is in RefusalTests.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Source ranges at the socket", .serialized, .cluster(), .timeLimit(.minutes(2)))
struct SourceRangeTests {
    private static let pods = ["10.0.0.0/8", "fd00::/16"]
    private static let nodes = ["192.168.50.0/24", "fd50::/64"]
    private static let nobodyHere = ["198.51.100.0/24", "2001:db8:9::/64"]

    @Test(
        "open connections survive a tightened range, new ones meet silence, until it is widened again (LBSR-10)",
        arguments: Dial.connected)
    func tightening(_ dial: Dial) throws {
        try withCluster { cluster in
            var service = cluster.makeService(external: true)
            func publish(_ ranges: [String]) throws {
                service.sourceRanges = ranges
                try cluster.publish(service, cluster.endpoints)
                try cluster.settle()
            }
            let balancer = service.frontend(.loadBalancer, dial, on: cluster.node)
            let (pod, host) = (cluster.client, cluster.node.host)
            try publish(Self.pods + Self.nodes)
            let open = try [pod, host].map { try $0.connect(dial, balancer) }
            let servers = try open.map { try $0.request().server }
            for (ranges, excluded) in [(Self.nobodyHere, [pod, host]), (Self.pods, [host]), (Self.nodes, [pod])] {
                try publish(ranges)
                for client in [pod, host] {
                    let isExcluded = excluded.contains { $0 === client }
                    if isExcluded {
                        #expect(try client.failure(dial, balancer) == dial.dropped, "\(client.name) and \(ranges)")
                    } else {
                        #expect(try client.ask(dial, balancer, count: 3).total == 3, "\(client.name) and \(ranges)")
                    }
                }
                #expect(try open.map { try $0.request().server } == servers)
                #expect(try open.map { try $0.peer() } == [dial.shown(balancer), dial.shown(balancer)])
            }
            try publish(Self.pods + Self.nodes)
            for client in [pod, host] { #expect(try client.ask(dial, balancer, count: 3).total == 3) }
        }
    }

    @Test(
        "an unconnected socket is judged by each datagram, its connected twin goes on",
        arguments: HostCalls.AddressFamily.allCases)
    func unconnected(_ family: HostCalls.AddressFamily) throws {
        try withCluster { cluster in
            var service = cluster.makeService(external: true)
            service.sourceRanges = Self.pods
            try cluster.publish(service, cluster.endpoints)
            let balancer = service.frontend(.loadBalancer, .udp, family, on: cluster.node)
            let socket = try cluster.client.openDatagram(family)
            let twin = try cluster.client.connect(Dial(transport: .udp, family: family), balancer)
            let server = try socket.request(to: balancer).server
            service.sourceRanges = Self.nodes
            try cluster.publish(service, cluster.endpoints)
            #expect(try refusal { try socket.send(to: balancer) } == "EPERM")
            #expect(try !twin.request().server.isEmpty)
            service.sourceRanges = Self.pods
            try cluster.publish(service, cluster.endpoints)
            #expect(try socket.request(to: balancer).server == server)
        }
    }

    @Test(
        "a node that has the load balancer's address may come from it if a range contains the node (LBSR-4)",
        arguments: Dial.every)
    func ownAddressAsSource(_ dial: Dial) throws {
        try withCluster { cluster in
            let node = cluster.node
            var service = cluster.makeService(external: true)
            let balancer = service.frontend(.loadBalancer, dial, on: node)
            let placed = "\(balancer.address)/\(dial.family == .v6 ? 128 : 32)"
            try node.addAddress(placed, to: "lo")
            defer { try? node.removeAddress(placed, from: "lo") }
            func ask() throws -> Answers {
                try node.host.ask(
                    dial.transport, balancer.address, balancer.port, family: dial.family,
                    bind: SocketAddress(balancer.address, 0), unconnected: dial.isUnconnected)
            }
            service.sourceRanges = Self.nodes
            try cluster.publish(service, cluster.endpoints)
            let answers = try ask()
            #expect(answers.clients == [balancer.address: 1], "\(answers)")
            service.sourceRanges = Self.pods
            try cluster.publish(service, cluster.endpoints)
            #expect(try ask().failedCalls == [dial.dropped: 1])
        }
    }

    @Test(
        "without endpoints those that the ranges exclude still meet silence, the others are refused (LBSR-9)",
        arguments: Dial.every)
    func noEndpoints(_ dial: Dial) throws {
        try withCluster { cluster in
            var service = cluster.makeService(external: true)
            let balancer = service.frontend(.loadBalancer, dial, on: cluster.node)
            let (pod, host) = (cluster.client, cluster.node.host)
            for (ranges, admitted, excluded) in [(Self.pods, pod, host), (Self.nodes, host, pod)] {
                service.sourceRanges = ranges
                try cluster.publish(service, [])
                #expect(try admitted.failure(dial, balancer) == dial.refused)
                #expect(try excluded.failure(dial, balancer) == dial.dropped)
            }
        }
    }
}
