// The ways in which a program can dial: what most behaviours must hold for, one by one.

import HostCalls
import ProbeProtocol
import Testing
import World

/// A transport with a socket family.
struct Dial: Hashable, Sendable, CustomTestStringConvertible {
    let transport: Transport
    let family: AddressFamily
    /// UDP by sendto and recvfrom, without connect.
    var isUnconnected = false

    static let connected = Self.all(.tcp) + Self.all(.udp)
    static let udp = Self.all(.udp) + Self.unconnected
    static let unconnected = AddressFamily.allCases.map { Dial(transport: .udp, family: $0, isUnconnected: true) }
    static let every = Self.connected + Self.unconnected
    /// IPv4 and IPv6 of each transport: for behaviours that cannot depend on the socket.
    static let plain = [Transport.tcp, .udp].flatMap { transport in
        [AddressFamily.v4, .v6].map { Dial(transport: transport, family: $0) }
    }

    private static func all(_ transport: Transport) -> [Dial] {
        AddressFamily.allCases.map { Dial(transport: transport, family: $0) }
    }

    var testDescription: String {
        let name = isUnconnected ? "unconnected UDP" : transport.rawValue.uppercased()
        switch family {
        case .v4: return "\(name) over IPv4"
        case .v6: return "\(name) over IPv6"
        case .mapped: return "\(name) over IPv4-mapped IPv6"
        }
    }

    /// An address as getpeername and recvfrom show it to this socket.
    func shown(_ address: SocketAddress) -> SocketAddress {
        guard family == .mapped else { return address }
        return SocketAddress("::ffff:\(address.address)", address.port)
    }

    /// The call that fails, and how, where nothing serves.
    var refused: String { isUnconnected ? "sendmsg ECONNREFUSED" : "connect ECONNREFUSED" }

    /// The call that fails, and how, where the rules say silence (decision 2).
    var dropped: String {
        if transport == .tcp { return "connect ETIMEDOUT" }
        return isUnconnected ? "sendmsg EPERM" : "connect EPERM"
    }
}

extension Probe {
    /// Asks so many times in this way.
    func ask(
        _ dial: Dial, _ to: SocketAddress, count: Int = 1, timeout: Duration = .seconds(2), requestSize: Int = 0,
        replySize: Int = 0
    ) throws -> Answers {
        try ask(
            dial.transport, to, family: dial.family, count: count, timeout: timeout, requestSize: requestSize,
            replySize: replySize, unconnected: dial.isUnconnected)
    }

    /// The failed call of one attempt, and that it took no time.
    func failure(_ dial: Dial, _ to: SocketAddress) throws -> String {
        let began = ContinuousClock.now
        let answers = try ask(dial, to, timeout: .seconds(5))
        guard ContinuousClock.now - began < .seconds(4) else { return "only after a time-out: \(answers)" }
        return answers.failedCalls.keys.first ?? "answered by \(answers.names)"
    }

    /// A connected socket of this kind.
    func connect(_ dial: Dial, _ to: SocketAddress) throws -> Connection {
        try connect(dial.transport, to, family: dial.family)
    }
}

extension ServiceObject {
    /// Where this dial finds the service.
    func frontend(_ kind: FrontendKind, _ dial: Dial, on node: Node) -> SocketAddress {
        frontend(kind, dial.transport, dial.family, on: node)
    }

    /// Its ClusterIP.
    func frontend(_ dial: Dial, on node: Node) -> SocketAddress {
        frontend(.clusterIP, dial, on: node)
    }
}
