// A TCP, MPTCP or UDP socket with the calls that the probe makes on it, each throwing the errno of exactly that call.
// Waiting, protocols over the connection and tables of sockets belong to the probe.

internal import CHostCalls
internal import Glibc

/// The transports a probe can speak.
package enum Transport: String, Codable, Sendable, CaseIterable {
    case tcp
    case udp
    /// Multipath TCP, where the kernel has it (else opening throws EPROTONOSUPPORT or ENOPROTOOPT).
    case mptcp

    var socketType: Int32 {
        switch self {
        case .tcp, .mptcp: Int32(SOCK_STREAM.rawValue)
        case .udp: Int32(SOCK_DGRAM.rawValue)
        }
    }

    var number: Int32 {
        switch self {
        case .tcp: Int32(IPPROTO_TCP)
        case .udp: Int32(IPPROTO_UDP)
        case .mptcp: 262  // IPPROTO_MPTCP of linux/in.h
        }
    }
}

/// An open IP socket.
package struct Socket: Sendable {
    package let descriptor: Descriptor
    package let transport: Transport
    package let family: AddressFamily

    private init(_ descriptor: Descriptor, _ transport: Transport, _ family: AddressFamily) {
        self.descriptor = descriptor
        self.transport = transport
        self.family = family
    }

    private var number: Int32 { descriptor.number }

    /// Opens a close-on-exec socket.
    package static func open(
        _ transport: Transport, _ family: AddressFamily, nonblocking: Bool = false
    ) throws(CallFailure) -> Socket {
        var type = transport.socketType | Int32(SOCK_CLOEXEC.rawValue)
        if nonblocking { type |= Int32(SOCK_NONBLOCK.rawValue) }
        let number = try checked(
            socket(family.domain, type, transport.number), "socket", "\(transport.rawValue) \(family.rawValue)")
        return Socket(Descriptor(owning: number), transport, family)
    }

    /// Lets several sockets share an address and port (SO_REUSEADDR and SO_REUSEPORT).
    package func allowSharedBinding() throws(CallFailure) {
        try checked(host_set_option(number, SOL_SOCKET, SO_REUSEADDR, 1), "setsockopt", "SO_REUSEADDR")
        try checked(host_set_option(number, SOL_SOCKET, SO_REUSEPORT, 1), "setsockopt", "SO_REUSEPORT")
    }

    /// Lets a server take its port again while old connections linger (SO_REUSEADDR alone).
    package func allowRebinding() throws(CallFailure) {
        try checked(host_set_option(number, SOL_SOCKET, SO_REUSEADDR, 1), "setsockopt", "SO_REUSEADDR")
    }

    /// Keeps an IPv6 socket from IPv4 (IPV6_V6ONLY).
    package func limitToIPv6() throws(CallFailure) {
        try checked(host_set_option(number, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1), "setsockopt", "IPV6_V6ONLY")
    }

    /// Has each received datagram report the address it was sent to.
    package func reportDestinations() throws(CallFailure) {
        try checked(host_ask_for_destination(number, family == .v4 ? 0 : 1), "setsockopt", "PKTINFO")
    }

    /// Makes close() reset the connection at once, leaving no TIME_WAIT behind.
    package func resetOnClose() throws(CallFailure) {
        try checked(host_set_linger_zero(number), "setsockopt", "SO_LINGER")
    }

    package func bind(_ address: SocketAddress) throws(CallFailure) {
        var raw = try RawAddress(address, family)
        try checked(unsafe host_bind(number, &raw.storage, raw.length), "bind", "\(address)")
    }

    package func listen() throws(CallFailure) {
        try checked(Glibc.listen(number, 4096), "listen")
    }

    /// Accepts one waiting connection as a nonblocking socket, or returns nil when none waits.
    package func accept() throws(CallFailure) -> Socket? {
        let accepted = host_accept(number)
        if accepted >= 0 { return Socket(Descriptor(owning: accepted), transport, family) }
        if errno == EAGAIN || errno == ECONNABORTED || errno == EINTR { return nil }
        throw CallFailure("accept", errno: errno)
    }

    /// Connects; false when a nonblocking socket has only begun to.
    @discardableResult
    package func connect(_ address: SocketAddress) throws(CallFailure) -> Bool {
        var raw = try RawAddress(address, family)
        let result = unsafe host_connect(number, &raw.storage, raw.length)
        if result < 0 && errno == EINPROGRESS { return false }
        try checked(result, "connect", "\(address)")
        return true
    }

    /// Dissolves a datagram socket's connection (connect to AF_UNSPEC).
    package func disconnect() throws(CallFailure) {
        try checked(host_disconnect(number), "connect", "AF_UNSPEC")
    }

    package func localAddress() throws(CallFailure) -> SocketAddress {
        var raw = RawAddress()
        try checked(unsafe host_local_address(number, &raw.storage), "getsockname")
        return raw.decoded ?? SocketAddress("", 0)
    }

    package func peerAddress() throws(CallFailure) -> SocketAddress {
        var raw = RawAddress()
        try checked(unsafe host_peer_address(number, &raw.storage), "getpeername")
        return raw.decoded ?? SocketAddress("", 0)
    }

    /// The pending error (SO_ERROR), which reading clears; 0 for none.
    package func takeError() -> Int32 {
        host_socket_error(number)
    }

    /// Ends both directions of a stream without closing the descriptor.
    package func shutdown() {
        _ = Glibc.shutdown(number, Int32(SHUT_RDWR))
    }

    /// Sends what the socket takes now; nil when a nonblocking socket takes nothing.
    package func send(_ bytes: ArraySlice<UInt8>) throws(CallFailure) -> Int? {
        let sent = unsafe bytes.withUnsafeBytes { buffer in
            unsafe Glibc.send(number, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
        }
        if sent < 0 && (errno == EAGAIN || errno == EINTR) { return nil }
        return try checked(sent, "send")
    }

    /// Receives at most `limit` bytes; nil when nothing has come yet, empty when the peer has ended the stream.
    package func receive(upTo limit: Int) throws(CallFailure) -> [UInt8]? {
        var error: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            let result = unsafe recv(number, buffer.baseAddress, limit, 0)
            if result < 0 { error = errno }
            count = max(0, result)
        }
        if error == EAGAIN || error == EINTR { return nil }
        if error != 0 { throw CallFailure("recv", errno: error) }
        return bytes
    }
}
