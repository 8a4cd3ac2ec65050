// One TCP or UDP socket as the kernel's diagnostics see it, and how it is written in their messages (sock_diag(7)).

import CLibMNL
import Glibc
package import NetworkTypes

/// One socket of one network namespace.
package struct KernelSocket: Hashable, Sendable {
    package var transport: TransportProtocol
    /// The family of the socket. An IPv6 socket that speaks IPv4 through mapped addresses is `.ipv6`, while its
    /// addresses are IPv4 addresses.
    package var family: AddressFamily
    package var local: AddressAndPort
    package var remote: AddressAndPort
    /// The interface that the socket is bound to; zero for none.
    package var interface: UInt32
    /// The kernel's number for the socket, as `bpf_get_socket_cookie` gives it. No two sockets of a machine ever share
    /// one.
    package var cookie: UInt64
    package var state: State

    /// The states of a socket (`net/tcp_states.h`). UDP knows two: established when connected, else closed.
    package struct State: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let established = State(rawValue: 1)
        package static let synSent = State(rawValue: 2)
        package static let synReceived = State(rawValue: 3)
        package static let timeWait = State(rawValue: 6)
        package static let closed = State(rawValue: 7)
        package static let listening = State(rawValue: 10)
    }

    package init(
        transport: TransportProtocol, family: AddressFamily, local: AddressAndPort, remote: AddressAndPort,
        interface: UInt32 = 0, cookie: UInt64, state: State = .established
    ) {
        self.transport = transport
        self.family = family
        self.local = local
        self.remote = remote
        self.interface = interface
        self.cookie = cookie
        self.state = state
    }
}

extension KernelSocket: CustomStringConvertible {
    package var description: String { "\(transport) \(local) -> \(remote), cookie \(cookie)" }
}

extension KernelSocket {
    /// Decodes the answer to a dump; nil for a message that is none.
    init?(_ message: NetlinkMessage, transport: TransportProtocol) {
        guard let header = message.payload.load(inet_diag_msg.self) else { return nil }
        // The addresses are at a fixed place in the struct: 4 bytes after the two ports, 16 bytes each.
        let addresses = message.payload.dropFirst(8)
        let family = Int32(header.idiag_family)
        guard let source = IPAddress(family: family, wire: addresses.prefix(16)),
            let destination = IPAddress(family: family, wire: addresses.dropFirst(16).prefix(16))
        else { return nil }
        self.init(
            transport: transport, family: family == AF_INET ? .ipv4 : .ipv6,
            local: AddressAndPort(address: source, port: UInt16(bigEndian: header.id.idiag_sport)),
            remote: AddressAndPort(address: destination, port: UInt16(bigEndian: header.id.idiag_dport)),
            interface: header.id.idiag_if,
            cookie: UInt64(header.id.idiag_cookie.1) << 32 | UInt64(header.id.idiag_cookie.0),
            state: State(rawValue: header.idiag_state))
    }

    /// The request that names exactly this socket, by tuple and cookie.
    var request: inet_diag_req_v2 {
        var request = inet_diag_req_v2()
        request.sdiag_family = UInt8(family == .ipv4 ? AF_INET : AF_INET6)
        request.sdiag_protocol = transport.rawValue
        request.idiag_states = .max
        request.id.idiag_sport = local.port.bigEndian
        request.id.idiag_dport = remote.port.bigEndian
        request.id.idiag_src = wire(local.address)
        request.id.idiag_dst = wire(remote.address)
        request.id.idiag_if = interface
        request.id.idiag_cookie = (UInt32(truncatingIfNeeded: cookie), UInt32(truncatingIfNeeded: cookie >> 32))
        return request
    }

    /// Four words in network order. IPv4 fills the first one; in an IPv6 socket it is mapped.
    private func wire(_ address: IPAddress) -> (UInt32, UInt32, UInt32, UInt32) {
        if family == .ipv4 { return ((address.ipv4Bits ?? 0).bigEndian, 0, 0, 0) }
        let words = [address.high >> 32, address.high, address.low >> 32, address.low]
            .map { UInt32(truncatingIfNeeded: $0).bigEndian }
        return (words[0], words[1], words[2], words[3])
    }
}
