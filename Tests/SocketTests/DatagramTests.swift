// Unconnected UDP sockets: one socket, many services. Each keeps its backend, and each reply comes from where the question
// was sent to.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Unconnected UDP sockets", .serialized, .cluster(), .timeLimit(.minutes(2)))
struct DatagramTests {
    typealias Family = HostCalls.AddressFamily

    /// Services with a backend each that no other one has: the servers' ports from 9000 on.
    private static func publishManyServices(_ count: Int, in cluster: Cluster) throws -> [ServiceObject] {
        let services = (0..<count).map { _ in cluster.makeService() }
        for (index, service) in services.enumerated() {
            let server = cluster.servers[index % cluster.servers.count]
            _ = try? server.serve(.udp, port: 9000 + UInt16(index))
            cluster.prepare { manifests in
                manifests.set(service, [SliceObject([EndpointObject(server)], port: 9000 + UInt16(index))])
            }
        }
        try cluster.settle()
        return services
    }

    @Test(
        "one socket talks to thirty services, and each reply comes from the one that was asked",
        arguments: Family.allCases)
    func manyServices(_ family: Family) throws {
        try withCluster { cluster in
            let dial = Dial(transport: .udp, family: family, isUnconnected: true)
            let services = try Self.publishManyServices(30, in: cluster)
            let socket = try cluster.client.openDatagram(family)
            for _ in 0..<2 {
                for service in services { try socket.send(to: service.frontend(dial, on: cluster.node)) }
                for _ in services {
                    let reply = try socket.receive()
                    let index = services.firstIndex { dial.shown($0.frontend(dial, on: cluster.node)) == reply.source }
                    #expect(
                        index.map { "\(9000 + $0)" } == reply.answer?.local.split(separator: ":").last.map(String.init))
                }
            }
            try socket.close()
        }
    }

    @Test("a socket keeps its backend of a service while that is in the set (BAL-2)", arguments: Family.allCases)
    func keepsBackend(_ family: Family) throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(.clusterIP, .udp, family, on: cluster.node)
            let socket = try cluster.client.openDatagram(family)
            func ask() throws -> Set<String> { try Set((0..<10).map { _ in try socket.request(to: frontend).server }) }
            let first = try ask()
            #expect(first.count == 1)
            let mine = cluster.servers.firstIndex { first.contains($0.name) } ?? 0
            let other = (mine + 1) % 3

            try cluster.publish(service, cluster.endpoints.enumerated().filter { $0.offset != other }.map(\.element))
            #expect(try ask() == first)
            try cluster.publish(service, cluster.endpoints.enumerated().filter { $0.offset != mine }.map(\.element))
            let second = try ask()
            #expect(second.count == 1 && second != first)
            try cluster.publish(service, cluster.endpoints)
            #expect(try ask() == second)
        }
    }

    @Test("a socket follows at once when the target port changes (CT-1)", arguments: Family.allCases)
    func targetPortChange(_ family: Family) throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            for server in cluster.servers { _ = try? server.serve(.udp, port: 8081) }
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(.clusterIP, .udp, family, on: cluster.node)
            let socket = try cluster.client.openDatagram(family)
            #expect(try socket.request(to: frontend).local.hasSuffix(":8080"))
            try cluster.publish(service, slices: [SliceObject(cluster.endpoints, port: 8081)])
            try socket.send(to: frontend)
            let reply = try socket.receive()
            #expect(reply.answer?.local.hasSuffix(":8081") == true)
            #expect(reply.source?.unmapped == frontend)
        }
    }

    @Test("replies of a backend that two services share come from the service asked last", arguments: Family.allCases)
    func sharedBackend(_ family: Family) throws {
        try withCluster { cluster in
            let services = (0..<6).map { _ in cluster.makeService() }
            for service in services {
                cluster.prepare { $0.set(service, [SliceObject([cluster.endpoints[0]])]) }
            }
            try cluster.settle()
            let socket = try cluster.client.openDatagram(family)
            for service in services + services.reversed() + services {
                let frontend = service.frontend(.clusterIP, .udp, family, on: cluster.node)
                try socket.send(to: frontend)
                #expect(try socket.receive().source?.unmapped == frontend)
            }
        }
    }

    @Test("a socket that never asked a service sees backends as they are", arguments: Family.allCases)
    func directReplies(_ family: Family) throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            try cluster.publish(service, [cluster.endpoints[0]])
            let frontend = service.frontend(.clusterIP, .udp, family, on: cluster.node)
            let backend = SocketAddress(cluster.servers[0].address(family), 8080)
            let other = try cluster.client.openDatagram(family)
            _ = try other.request(to: frontend)
            let socket = try cluster.client.openDatagram(family)
            try socket.send(to: backend)
            #expect(try socket.receive().source?.unmapped == backend)
        }
    }

    @Test(
        "a socket may connect, connect elsewhere and disconnect: names and sources follow", arguments: Family.allCases)
    func reconnecting(_ family: Family) throws {
        try withCluster { cluster in
            let first = cluster.makeService()
            let second = cluster.makeService()
            try cluster.publish(first, [cluster.endpoints[0]])
            try cluster.publish(second, [cluster.endpoints[1]])
            let backend = SocketAddress(cluster.servers[0].address(family), 8080)
            let socket = try cluster.client.openDatagram(family)
            for service in [first, second, first] {
                let frontend = service.frontend(.clusterIP, .udp, family, on: cluster.node)
                try socket.reconnect(to: frontend)
                #expect(try socket.peer().unmapped == frontend)
                try socket.send()
                #expect(try socket.receive().source?.unmapped == frontend)
            }
            try socket.reconnect(to: backend)
            #expect(try socket.peer().unmapped == backend)
            try socket.send()
            #expect(try socket.receive().source?.unmapped == backend)

            try socket.reconnect(to: first.frontend(.clusterIP, .udp, family, on: cluster.node))
            try socket.reconnect(to: nil)
            #expect(try refusal { try socket.peer() } == "ENOTCONN")
            try socket.send(to: backend)
            #expect(try socket.receive().source?.unmapped == backend)
        }
    }

    @Test(
        "a connected socket that names its service again reaches the backend that it is connected to (BAL-2)",
        arguments: Family.allCases)
    func connectedAndNamed(_ family: Family) throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(.clusterIP, .udp, family, on: cluster.node)
            let pages = try cluster.maps.udpPages()
            for _ in 0..<10 {
                let socket = try cluster.client.openDatagram(family)
                try socket.reconnect(to: frontend)
                let server = try socket.request().server
                for _ in 0..<3 {
                    try socket.send(to: frontend)
                    let reply = try socket.receive()
                    #expect(reply.answer?.server == server && reply.source?.unmapped == frontend)
                }
                try socket.close()
            }
            // Nothing but the state of connected sockets was needed for that.
            #expect(try cluster.maps.udpPages() == pages)
        }
    }

    /// A disconnected IPv6 socket goes on to hear nobody but its former peer; that is the kernel's own doing.
    @Test("a socket that is not connected any more asks its service as others do", arguments: [Family.v4, .mapped])
    func disconnectedAndNamed(_ family: Family) throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            try cluster.publish(service, [cluster.endpoints[0]])
            let frontend = service.frontend(.clusterIP, .udp, family, on: cluster.node)
            let socket = try cluster.client.openDatagram(family)
            try socket.reconnect(to: frontend)
            try socket.reconnect(to: nil)
            try cluster.publish(service, [cluster.endpoints[1]])
            try socket.send(to: frontend)
            let reply = try socket.receive()
            #expect(reply.answer?.server == cluster.servers[1].name && reply.source?.unmapped == frontend)
            // Connected past the service to another of its backends: the service's own choice goes on.
            try socket.reconnect(to: SocketAddress(cluster.servers[2].address(family), 8080))
            try cluster.publish(service, [cluster.endpoints[2]])
            try socket.send(to: frontend)
            #expect(try socket.receive().answer?.server == cluster.servers[2].name)
        }
    }

    @Test("a host process talks UDP to a ClusterIP", arguments: Dial.udp)
    func hostProcess(_ dial: Dial) throws {
        try withCluster { cluster in
            let service = cluster.makeService()
            try cluster.publish(service, cluster.endpoints)
            let frontend = service.frontend(dial, on: cluster.node)
            let answers = try cluster.node.host.ask(dial, frontend, count: 20)
            #expect(answers.total == 20 && answers.peers == [dial.shown(frontend).description: 20])
        }
    }
}
