// Finding sockets and destroying exactly one of them among others that look alike, on the loopback interface of a
// network namespace of the test's own.

import Glibc
import HostCalls
import KernelTestSupport
import NetworkTypes
import Testing

@testable import Netlink

/// How a client socket is made, and where its server listens.
private struct Kind: Sendable, CustomTestStringConvertible {
    let transport: Transport
    let family: HostCalls.AddressFamily
    let server: SocketAddress

    var protocolNumber: TransportProtocol { transport == .udp ? .udp : .tcp }
    var remote: AddressAndPort { endpoint("\(server)") }
    var socketFamily: NetworkTypes.AddressFamily { family == .v4 ? .ipv4 : .ipv6 }
    var testDescription: String { "\(transport) \(family)" }

    /// IPv4, IPv6, and IPv4 through an IPv6 socket, for both protocols.
    static let all = [Transport.tcp, .udp].flatMap { transport in
        [
            Kind(transport: transport, family: .v4, server: SocketAddress("127.0.0.1", 7000)),
            Kind(transport: transport, family: .v6, server: SocketAddress("::1", 7000)),
            Kind(transport: transport, family: .mapped, server: SocketAddress("127.0.0.1", 7000)),
        ]
    }

    /// A listening socket that takes connections by itself: the kernel completes them without an accept().
    func listen() throws -> Socket {
        let socket = try Socket.open(transport, family == .mapped ? .v4 : family)
        try socket.bind(server)
        if transport == .tcp { try socket.listen() }
        return socket
    }

    func connect() throws -> Socket {
        let socket = try Socket.open(transport, family)
        try socket.connect(server)
        return socket
    }
}

@Suite("Socket diagnostics", .enabled(if: canUseKernel))
struct SocketTests {
    @Test("A connected socket is found by its peer, with family, addresses and cookie", arguments: Kind.all)
    fileprivate func found(kind: Kind) throws {
        let (sockets, port, cookie) = try inNewNetworkNamespace {
            let server = try kind.listen()
            let client = try kind.connect()
            var diagnostics = try SocketDiagnostics()
            let sockets = try diagnostics.sockets(kind.protocolNumber, connectedTo: kind.remote)
            withExtendedLifetime((server, client)) {}
            return (sockets, try client.localAddress().port, kernelCookie(of: client))
        }
        let socket = try #require(sockets.first)
        #expect(sockets.count == 1)
        #expect(socket.family == kind.socketFamily)
        #expect(socket.local == AddressAndPort(address: kind.remote.address, port: port))
        #expect(socket.remote == kind.remote)
        #expect(socket.state == .established)
        #expect(socket.cookie == cookie)
    }

    @Test("Exactly one of two connections to one server is destroyed", arguments: Kind.all)
    fileprivate func destroyOne(kind: Kind) throws {
        let (victimError, twinError, again, left) = try inNewNetworkNamespace {
            let server = try kind.listen()
            let (victim, twin) = (try kind.connect(), try kind.connect())
            var diagnostics = try SocketDiagnostics()
            let found = try diagnostics.sockets(kind.protocolNumber, connectedTo: kind.remote)
            let target = try #require(found.first { $0.cookie == kernelCookie(of: victim) })
            #expect(try diagnostics.destroy(target))
            let again = try diagnostics.destroy(target)
            let left = try diagnostics.sockets(kind.protocolNumber, connectedTo: kind.remote).count
            withExtendedLifetime(server) {}
            return (victim.takeError(), twin.takeError(), again, left)
        }
        #expect(victimError == ECONNABORTED)
        #expect(twinError == 0)
        #expect(again == false)
        #expect(left == 1)
    }

    @Test("A right tuple with a wrong cookie destroys nothing", arguments: Kind.all)
    fileprivate func wrongCookie(kind: Kind) throws {
        let (destroyed, error) = try inNewNetworkNamespace {
            let server = try kind.listen()
            let client = try kind.connect()
            var diagnostics = try SocketDiagnostics()
            var target = try #require(try diagnostics.sockets(kind.protocolNumber, connectedTo: kind.remote).first)
            target.cookie += 1
            let destroyed = try diagnostics.destroy(target)
            withExtendedLifetime(server) {}
            return (destroyed, client.takeError())
        }
        #expect(destroyed == false)
        #expect(error == 0)
    }

    @Test("UDP sockets that share all four numbers are all destroyed, in whatever order", arguments: [true, false])
    func hiddenTwins(oldestFirst: Bool) throws {
        let kind = Kind(transport: .udp, family: .v4, server: SocketAddress("127.0.0.1", 7000))
        let (destroyed, errors, bystander) = try inNewNetworkNamespace {
            let twins = try (0..<4).map { _ in
                let socket = try Socket.open(.udp, .v4)
                try socket.allowSharedBinding()
                try socket.bind(SocketAddress("127.0.0.1", 7001))
                try socket.connect(kind.server)
                return socket
            }
            let bystander = try kind.connect()
            var diagnostics = try SocketDiagnostics()
            let found = try diagnostics.sockets(.udp, connectedTo: kind.remote)
                .filter { $0.local.port == 7001 }
                .sorted { ($0.cookie < $1.cookie) == oldestFirst }
            #expect(found.count == 4)
            let destroyed = try diagnostics.destroy(found + found)
            return (destroyed, twins.map { $0.takeError() }, bystander.takeError())
        }
        #expect(destroyed == 4)
        #expect(errors == [ECONNABORTED, ECONNABORTED, ECONNABORTED, ECONNABORTED])
        #expect(bystander == 0)
    }

    @Test("The kernel itself leaves out what has another peer", arguments: Kind.all)
    fileprivate func kernelFilter(kind: Kind) throws {
        let (matching, others) = try inNewNetworkNamespace {
            let server = try kind.listen()
            let client = try kind.connect()
            var diagnostics = try SocketDiagnostics()
            let family = kind.family == .v4 ? AF_INET : AF_INET6
            var other = kind.remote
            other.port += 1
            let all = SocketDiagnostics.allStates
            let matching = try diagnostics.dump(kind.protocolNumber, family, states: all, remote: kind.remote)
            let others = try diagnostics.dump(kind.protocolNumber, family, states: all, remote: other)
            withExtendedLifetime((server, client)) {}
            return (matching, others)
        }
        #expect(matching.map(\.remote) == [kind.remote])
        #expect(others == [])
    }

    @Test("A connection in time-wait is not listed")
    func timeWait() throws {
        let kind = Kind(transport: .tcp, family: .v4, server: SocketAddress("127.0.0.1", 7000))
        let (listed, inTimeWait) = try inNewNetworkNamespace {
            let server = try kind.listen()
            do {
                let client = try kind.connect()
                let accepted = try #require(try server.accept())
                client.shutdown()
                accepted.shutdown()
            }
            var diagnostics = try SocketDiagnostics()
            let listed = try diagnostics.sockets(.tcp, connectedTo: kind.remote)
            let all = try diagnostics.sockets(.tcp, states: SocketDiagnostics.allStates)
            return (listed, all.filter { $0.state == .timeWait && $0.remote == kind.remote }.count)
        }
        #expect(listed == [])
        #expect(inTimeWait == 1)
    }

    @Test(
        "An unconnected UDP socket is listed only when asked for, and can be destroyed",
        arguments: [HostCalls.AddressFamily.v4, .v6])
    func unconnected(family: HostCalls.AddressFamily) throws {
        let (connectedCount, destroyed, error) = try inNewNetworkNamespace {
            let socket = try Socket.open(.udp, family)
            try socket.bind(SocketAddress(family == .v4 ? "0.0.0.0" : "::", 7003))
            var diagnostics = try SocketDiagnostics()
            let connected = try diagnostics.sockets(.udp).count
            let all = try diagnostics.sockets(.udp, states: SocketDiagnostics.allStates)
            let target = try #require(all.first { $0.cookie == kernelCookie(of: socket) })
            #expect(target.state == .closed)
            #expect(target.remote.port == 0)
            return (connected, try diagnostics.destroy(target), socket.takeError())
        }
        #expect(connectedCount == 0)
        #expect(destroyed)
        #expect(error == ECONNABORTED)
    }

    @Test("Neither another port, nor another address, nor another namespace is matched")
    func notMatched() throws {
        let kind = Kind(transport: .tcp, family: .v4, server: SocketAddress("127.0.0.1", 7000))
        try inNewNetworkNamespace {
            let server = try kind.listen()
            let client = try kind.connect()
            var diagnostics = try SocketDiagnostics()
            #expect(try diagnostics.sockets(.tcp, connectedTo: endpoint("127.0.0.1:7001")) == [])
            #expect(try diagnostics.sockets(.tcp, connectedTo: endpoint("127.0.0.2:7000")) == [])
            #expect(try diagnostics.sockets(.udp, connectedTo: kind.remote) == [])
            let elsewhere = try inNewNetworkNamespace {
                var other = try SocketDiagnostics()
                return try other.sockets(.tcp)
            }
            #expect(elsewhere == [])
            withExtendedLifetime((server, client)) {}
        }
    }

    @Test("A thousand sockets arrive complete")
    func manySockets() throws {
        let kind = Kind(transport: .udp, family: .v4, server: SocketAddress("127.0.0.1", 7000))
        let (count, destroyed) = try inNewNetworkNamespace {
            let clients = try (0..<900).map { _ in try kind.connect() }
            var diagnostics = try SocketDiagnostics()
            let found = try diagnostics.sockets(.udp, connectedTo: kind.remote)
            let destroyed = try diagnostics.destroy(found)
            withExtendedLifetime(clients) {}
            return (Set(found.map(\.cookie)).count, destroyed)
        }
        #expect(count == 900)
        #expect(destroyed == 900)
    }
}

/// What programs get from `bpf_get_socket_cookie` for this socket.
private func kernelCookie(of socket: Socket) -> UInt64 {
    var cookie: UInt64 = 0
    var size = socklen_t(MemoryLayout<UInt64>.size)
    _ = unsafe getsockopt(socket.descriptor.number, SOL_SOCKET, SO_COOKIE, &cookie, &size)
    return cookie
}
