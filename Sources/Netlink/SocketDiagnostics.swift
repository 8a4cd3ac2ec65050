// Finding and destroying sockets of one network namespace. Which sockets deserve it is decided by the caller.

import CLibMNL
import Glibc
package import NetworkTypes

/// The kernel's socket diagnostics, for the network namespace of the thread that opened it.
package struct SocketDiagnostics: ~Copyable, Sendable {
    private var socket: NetlinkSocket

    package init() throws(NetlinkError) {
        socket = try NetlinkSocket(bus: NETLINK_SOCK_DIAG)
    }

    /// The sockets that have a peer or are looking for one: every state but listening, closed and time-wait. Of UDP
    /// these are the connected ones.
    package static let connectedStates: UInt32 = ~(1 << 10 | 1 << 7 | 1 << 6)
    /// Sockets in every state.
    package static let allStates: UInt32 = .max

    /// The sockets with a remote address and port, in no order: IPv4, IPv6, and IPv6 sockets with IPv4-mapped
    /// addresses.
    ///
    /// The kernel filters, but walks all sockets of the protocol to do so, on the machine and not only in the
    /// namespace.
    ///
    /// - Throws: `isNotFound` when the kernel has no diagnostics for the protocol (module tcp_diag or udp_diag).
    package mutating func sockets(
        _ transport: TransportProtocol, connectedTo remote: AddressAndPort
    ) throws(NetlinkError) -> [KernelSocket] {
        var found = try dump(transport, AF_INET6, states: Self.connectedStates, remote: remote)
        if remote.address.family == .ipv4 {
            found += try dump(transport, AF_INET, states: Self.connectedStates, remote: remote)
        }
        return found.filter { $0.remote == remote }
    }

    /// All sockets of a protocol, in no order.
    ///
    /// - Parameter states: a bit for each state, by its number in `net/tcp_states.h`.
    package mutating func sockets(
        _ transport: TransportProtocol, states: UInt32 = connectedStates
    ) throws(NetlinkError) -> [KernelSocket] {
        try dump(transport, AF_INET, states: states, remote: nil)
            + dump(transport, AF_INET6, states: states, remote: nil)
    }

    /// Destroys exactly one socket: its owner's next call fails with ECONNABORTED.
    ///
    /// The kernel looks the socket up by its addresses and ports and then compares the cookie. Among UDP sockets that
    /// share all of those (`SO_REUSEPORT`) it finds one and knows nothing of the others: "gone" may then mean "behind
    /// a twin"; the method for many takes care of that. A destroyed UDP socket is disconnected and lives on; one that
    /// its owner had bound to its port keeps it, and may be found and destroyed again.
    ///
    /// - Returns: false if there is no such socket, or no longer.
    /// - Throws: `isUnsupported` when the kernel was built without `CONFIG_INET_DIAG_DESTROY`; `isPermission` without
    ///   CAP_NET_ADMIN in the namespace.
    package mutating func destroy(_ victim: KernelSocket) throws(NetlinkError) -> Bool {
        let request = NetlinkRequest(
            type: UInt16(SOCK_DESTROY), flags: UInt16(NLM_F_ACK), payload: victim.request)
        do throws(NetlinkError) {
            try socket.command(request, "destroy socket \(victim) in")
            return true
        } catch {
            guard error.isNotFound else { throw error }
            return false
        }
    }

    /// Destroys many sockets, those among twins that hide each other included: what was not found is tried again for as
    /// long as others are destroyed.
    ///
    /// - Parameter victims: one that is there twice counts once.
    /// - Returns: how many were destroyed; the rest was gone already.
    package mutating func destroy(_ victims: [KernelSocket]) throws(NetlinkError) -> Int {
        var cookies: Set<UInt64> = []
        var remaining = victims.filter { cookies.insert($0.cookie).inserted }
        var destroyed = 0
        while !remaining.isEmpty {
            var missed: [KernelSocket] = []
            for victim in remaining where try !destroy(victim) { missed.append(victim) }
            let progress = remaining.count - missed.count
            destroyed += progress
            guard progress > 0 else { break }
            remaining = missed
        }
        return destroyed
    }

    /// One dump of one family, as the kernel filters it.
    mutating func dump(
        _ transport: TransportProtocol, _ family: Int32, states: UInt32, remote: AddressAndPort?
    ) throws(NetlinkError) -> [KernelSocket] {
        var payload = inet_diag_req_v2()
        payload.sdiag_family = UInt8(family)
        payload.sdiag_protocol = transport.rawValue
        payload.idiag_states = states
        var request = NetlinkRequest(
            type: UInt16(SOCK_DIAG_BY_FAMILY), flags: UInt16(NLM_F_DUMP), payload: payload)
        if let remote {
            request.appendAttribute(UInt16(INET_DIAG_REQ_BYTECODE), Self.filter(remote: remote))
        }
        let messages = try socket.dump(request, "list the \(transport) sockets of")
        return messages.compactMap { KernelSocket($0, transport: transport) }
    }

    /// The kernel's filter program (`net/ipv4/inet_diag.c`) of one condition: remote address and port. "Yes" goes to
    /// the program's very end, which accepts; "no" goes four bytes beyond it, which refuses. A condition for IPv4
    /// matches mapped addresses too.
    static func filter(remote: AddressAndPort) -> [UInt8] {
        let isIPv4 = remote.address.family == .ipv4
        let address = isIPv4 ? Array(remote.address.bytes.suffix(4)) : remote.address.bytes
        var operation = inet_diag_bc_op()
        let length = MemoryLayout<inet_diag_bc_op>.size + 8 + address.count
        operation.code = UInt8(INET_DIAG_BC_D_COND)
        operation.yes = UInt8(length)
        operation.no = UInt16(length + 4)
        var program: [UInt8] = []
        program.append(raw: operation)
        program += [UInt8(isIPv4 ? AF_INET : AF_INET6), UInt8(address.count * 8), 0, 0]
        program.append(raw: Int32(remote.port))
        return program + address
    }
}
