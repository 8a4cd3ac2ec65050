// What the kernel's sockets offer beside BPF: cookies, MPTCP, diagnostics. Tried on loopback sockets of this process.

import Glibc
import Netlink
import NetworkTypes
import SystemCalls

struct SocketChecks {
    func findings() -> [Finding] {
        [namespaceCookie(), ipv6(), multipath(), destroy(.tcp), destroy(.udp)]
    }

    private func namespaceCookie() -> Finding {
        .trying(.node, "namespace cookie", essential: true, loss: "the node cannot be told from its pods") {
            "this network namespace is number \(try InternetSocket(.udp, .ipv4).namespaceCookie())"
        }
    }

    private func ipv6() -> Finding {
        .trying(.node, "IPv6", otherwise: .degraded, loss: "services with IPv6 addresses are of no use here") {
            let socket = try InternetSocket(.udp, .ipv6)
            try socket.bind(to: AddressAndPort(address: .loopback(.ipv6), port: 0))
            return "sockets can be bound to ::1"
        }
    }

    /// Programs that ask for MPTCP without the kernel having it fall back by themselves.
    private func multipath() -> Finding {
        do {
            _ = try InternetSocket(.mptcp, .ipv4)
            return Finding(.node, "MPTCP", .ok, "available; its sockets are translated as well")
        } catch {
            return Finding(.node, "MPTCP", .ok, "not available (\(error)), so there is nothing to translate")
        }
    }

    /// Needs CONFIG_INET_DIAG_DESTROY, and the module of the protocol.
    private func destroy(_ transport: TransportProtocol) -> Finding {
        .trying(
            .node, "destroying \(transport) sockets", otherwise: .degraded,
            loss: "clients of a backend that is gone are not told; they notice only when their own time-outs are over"
        ) {
            let listener = try InternetSocket(transport == .udp ? .udp : .tcp, .ipv4)
            try listener.bind(to: AddressAndPort(address: .loopback(.ipv4), port: 0))
            if transport == .tcp { try listener.listen() }
            let client = try InternetSocket(transport == .udp ? .udp : .tcp, .ipv4)
            try client.connect(to: try listener.localAddress())
            let cookie = try client.cookie()
            var diagnostics = try SocketDiagnostics()
            let found = try diagnostics.sockets(transport, connectedTo: listener.localAddress())
            guard let own = found.first(where: { $0.cookie == cookie }) else {
                throw WrongResult("sock_diag does not list a socket of this process")
            }
            guard try diagnostics.destroy(own) else { throw WrongResult("sock_diag did not find what it had listed") }
            let code = client.pendingError()
            guard code == ECONNABORTED else { throw WrongResult("the socket's error is \(code), not ECONNABORTED") }
            return "a socket of this process was found by its cookie and destroyed"
        }
    }
}

extension IPAddress {
    /// 127.0.0.1 or ::1.
    static func loopback(_ family: AddressFamily) -> IPAddress {
        switch family {
        case .ipv4: IPAddress(ipv4: 0x7f00_0001)
        case .ipv6: IPAddress(high: 0, low: 1)
        }
    }
}
