// The kernel's connection tracking, asked about real UDP flows in a network namespace of the test's own.

import Glibc
import HostCalls
import KernelTestSupport
import NetworkTypes
import Testing

@testable import Netlink

@Suite("Tracked UDP flows", .enabled(if: canUseKernel))
struct DatagramTrackingTests {
    /// A service address of each family on loopback, translated to an echo server's port; and what is not translated.
    private static let rules = """
        table ip test {
            chain out { type nat hook output priority -100; ip daddr 127.0.0.9 udp dport 53 dnat to 127.0.0.1:7000; }
        }
        table ip6 test {
            chain out { type nat hook output priority -100; ip6 daddr ::9 udp dport 53 dnat to [::1]:7000; }
        }
        """

    private struct Seen: Sendable, Equatable {
        var dialled: String
        var answering: String
    }

    private static func flows(_ family: NetworkTypes.AddressFamily) throws -> [TrackedDatagrams] {
        var tracking = try DatagramTracking()
        var flows: [TrackedDatagrams] = []
        _ = try tracking.forEach(family) { flows.append($0) }
        return flows
    }

    private static func send(_ family: HostCalls.AddressFamily, to address: String, _ port: UInt16) throws -> Socket {
        let socket = try Socket.open(.udp, family)
        try socket.connect(SocketAddress(address, port))
        _ = try socket.send(Array("x".utf8)[...])
        return socket
    }

    @Test("are listed with who is dialled and who answers, translated or not, and one is forgotten alone")
    func listed() throws {
        try inNewNetworkNamespace {
            try nft(Self.rules)
            try ip("address add ::9/128 dev lo")
            for (family, address, family6) in [
                (NetworkTypes.AddressFamily.ipv4, "127.0.0.9", HostCalls.AddressFamily.v4), (.ipv6, "::9", .v6),
            ] {
                // So that nothing is answered by errors.
                let local = family == .ipv6 ? "::1" : "127.0.0.1"
                let servers = try [(local, UInt16(7000)), (address, 54)].map { host, port in
                    let server = try Socket.open(.udp, family6)
                    try server.bind(SocketAddress(host, port))
                    return server
                }
                let sockets = [
                    try Self.send(family6, to: address, 53), try Self.send(family6, to: address, 53),
                    try Self.send(family6, to: address, 54),
                ]
                let clients = try sockets.map { try $0.localAddress().port }
                let flows = try Self.flows(family)
                let brackets = family == .ipv6 ? "[\(address)]" : address
                let target = family == .ipv6 ? "[::1]:7000" : "127.0.0.1:7000"
                let answering = [target, target, "\(brackets):54"]
                for (client, answering) in zip(clients, answering) {
                    let flow = try #require(flows.first { $0.client.port == client })
                    #expect("\(flow.answering)" == answering)
                }
                var tracking = try DatagramTracking()
                let first = try #require(flows.first { $0.client.port == clients[0] })
                #expect(try tracking.forget(first))
                #expect(try !tracking.forget(first), "it is gone already")
                #expect(Set(try Self.flows(family).map(\.client.port)).isSuperset(of: clients.dropFirst()))
                #expect(try !Self.flows(family).contains { $0.client.port == clients[0] })
                // The same flow once more is tracked again.
                _ = try sockets[0].send(Array("x".utf8)[...])
                #expect(try Self.flows(family).contains { $0.client.port == clients[0] })
                withExtendedLifetime((sockets, servers)) {}
            }
        }
    }

    @Test("are told alone: TCP is not among them")
    func datagramsOnly() throws {
        try inNewNetworkNamespace {
            try nft(Self.rules)
            let server = try Socket.open(.tcp, .v4)
            try server.bind(SocketAddress("127.0.0.1", 7000))
            try server.listen()
            let client = try Socket.open(.tcp, .v4)
            try client.connect(SocketAddress("127.0.0.1", 7000))
            #expect(try Self.flows(.ipv4).isEmpty)
            withExtendedLifetime((server, client)) {}
        }
    }
}
