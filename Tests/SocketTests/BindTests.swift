// Bind protection: on the node nobody may take a node port away from its clients; everything else stays allowed.

import HostCalls
import ProbeProtocol
import Testing
import World

/// An address to bind to, with the socket family that it needs.
struct BindPlace: Sendable, CustomTestStringConvertible {
    let address: String
    let family: HostCalls.AddressFamily
    var testDescription: String { family == .mapped ? "::ffff:\(address)" : address }
}

private let contestedPlaces = [
    BindPlace(address: "0.0.0.0", family: .v4), BindPlace(address: "::", family: .v6),
    BindPlace(address: "0.0.0.0", family: .mapped), BindPlace(address: "192.168.50.1", family: .v4),
    BindPlace(address: "fd50::1", family: .v6), BindPlace(address: "192.168.50.1", family: .mapped),
]
private let freePlaces = [
    BindPlace(address: "127.0.0.1", family: .v4), BindPlace(address: "::1", family: .v6),
    BindPlace(address: "127.0.0.1", family: .mapped),
]

@Suite("Bind protection of node ports", .serialized, .cluster(), .timeLimit(.minutes(2)))
struct BindTests {
    private static func bind(_ probe: Probe, _ transport: Transport, _ place: BindPlace, _ port: UInt16) throws
        -> String?
    {
        try refusal { try probe.bind(transport, place.address, port, family: place.family) }
    }

    @Test(
        "a host process cannot bind to a node port, until the service goes", arguments: [Transport.tcp, .udp],
        contestedPlaces)
    func contested(_ transport: Transport, _ place: BindPlace) throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true)
            let port = service.frontend(.nodePort, transport, .v4, on: cluster.node).port
            let host = cluster.node.host
            #expect(try Self.bind(host, transport, place, port) == nil)
            try cluster.publish(service, [])
            #expect(try Self.bind(host, transport, place, port) == "EADDRINUSE")
            try cluster.publish(service, cluster.endpoints)
            #expect(try Self.bind(host, transport, place, port) == "EADDRINUSE")
            #expect(try Self.bind(host, transport, place, port + 1000) == nil)
            #expect(try Self.bind(host, transport, place, 0) == nil)
            try cluster.remove(service)
            #expect(try Self.bind(host, transport, place, port) == nil)
        }
    }

    @Test("addresses that do not serve node ports stay free", arguments: [Transport.tcp, .udp], freePlaces)
    func otherAddresses(_ transport: Transport, _ place: BindPlace) throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true)
            try cluster.publish(service, cluster.endpoints)
            let port = service.frontend(.nodePort, transport, .v4, on: cluster.node).port
            #expect(try Self.bind(cluster.node.host, transport, place, port) == nil)
        }
    }

    @Test("pods have ports of their own", arguments: [Transport.tcp, .udp])
    func pods(_ transport: Transport) throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true)
            try cluster.publish(service, cluster.endpoints)
            let port = service.frontend(.nodePort, transport, .v4, on: cluster.node).port
            for place in [BindPlace(address: "0.0.0.0", family: .v4), BindPlace(address: "::", family: .v6)] {
                #expect(try Self.bind(cluster.client, transport, place, port) == nil)
            }
        }
    }

    @Test("a host-network pod is bound as the host is")
    func hostNetworkPod() throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true)
            try cluster.publish(service, cluster.endpoints)
            let port = service.frontend(.nodePort, .tcp, .v4, on: cluster.node).port
            let pod = try cluster.node.addHostProbe("host-network-pod")
            #expect(try refusal { try pod.bind(.tcp, "0.0.0.0", port) } == "EADDRINUSE")
        }
    }

    @Test("TCP and UDP are protected apart", arguments: [Transport.tcp, .udp])
    func transportsApart(_ transport: Transport) throws {
        try withCluster { cluster in
            var service = cluster.makeService(nodePort: true)
            service.ports.removeAll { $0.transport != transport }
            try cluster.publish(service, cluster.endpoints)
            let port = service.frontend(.nodePort, transport, .v4, on: cluster.node).port
            let host = cluster.node.host
            #expect(try refusal { try host.bind(transport, "0.0.0.0", port) } == "EADDRINUSE")
            #expect(try refusal { try host.bind(transport == .tcp ? .udp : .tcp, "0.0.0.0", port) } == nil)
        }
    }

    @Test(
        "a node port of one family leaves the other family's sockets alone (PORT-6)", arguments: [Transport.tcp, .udp],
        [HostCalls.AddressFamily.v4, .v6])
    func familiesApart(_ transport: Transport, _ family: HostCalls.AddressFamily) throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true, families: [family])
            try cluster.publish(service, cluster.endpoints)
            let port = service.frontend(.nodePort, transport, .v4, on: cluster.node).port
            let host = cluster.node.host
            let isV4 = family == .v4
            func expect(_ address: String, _ socket: HostCalls.AddressFamily, isRefused: Bool) throws {
                let error = try refusal { try host.bind(transport, address, port, family: socket) }
                #expect(error == (isRefused ? "EADDRINUSE" : nil), "\(address) \(socket)")
            }
            try expect("0.0.0.0", .v4, isRefused: isV4)
            try expect("0.0.0.0", .mapped, isRefused: isV4)
            // Both families come to a usual IPv6 socket.
            try expect("::", .v6, isRefused: true)
            let only = try refusal { try host.bind(transport, "::", port, onlyIPv6: true) }
            #expect(only == (isV4 ? nil : "EADDRINUSE"))
        }
    }

    @Test("a server that held the port before keeps it, and the node port is served (PORT-6)")
    func earlierServer() throws {
        try withCluster { cluster in
            let service = cluster.makeService(nodePort: true)
            let frontend = service.frontend(.nodePort, .tcp, .v4, on: cluster.node)
            let server = try cluster.node.host.serve(.tcp, port: frontend.port, as: "untouched")
            try cluster.publish(service, cluster.endpoints)
            #expect(try cluster.client.ask(.tcp, frontend, count: 20).names == ["web-1", "web-2", "web-3"])
            #expect(try cluster.node.host.ask(.tcp, "127.0.0.1", frontend.port).servers == ["untouched": 1])
            try server.stop()
        }
    }
}
