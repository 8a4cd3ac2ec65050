// A socket of the Internet families: blocking, with a time limit for every call. Which addresses it is pointed at is
// its user's responsibility.

import Glibc
package import NetworkTypes

package struct InternetSocket: ~Copyable, Sendable {
    package enum Kind: Sendable {
        case tcp
        case udp
        case mptcp
    }

    private let descriptor: Descriptor
    package let family: AddressFamily

    /// - Parameter timeLimit: after which a call that waits ends with EAGAIN, or EINPROGRESS.
    package init(
        _ kind: Kind, _ family: AddressFamily, timeLimit: Duration = .seconds(2)
    ) throws(SystemError) {
        let type = kind == .udp ? SOCK_DGRAM : SOCK_STREAM
        // IPPROTO_MPTCP, which Swift's C library does not have.
        let number: Int32 = kind == .mptcp ? 262 : 0
        let opened = socket(
            family == .ipv4 ? AF_INET : AF_INET6, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), number)
        guard opened >= 0 else { throw .last("open a socket") }
        descriptor = Descriptor(owning: opened)
        self.family = family
        let (seconds, attoseconds) = timeLimit.components
        var limit = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
        let size = socklen_t(MemoryLayout<timeval>.size)
        _ = unsafe setsockopt(opened, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        _ = unsafe setsockopt(opened, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    private init(accepted: Int32, _ family: AddressFamily) {
        descriptor = Descriptor(owning: accepted)
        self.family = family
    }

    package func bind(to address: AddressAndPort) throws(SystemError) {
        let code = unsafe withSockaddr(address) { unsafe Glibc.bind(descriptor.number, $0, $1) }
        guard code == 0 else { throw .last("bind") }
    }

    package func listen() throws(SystemError) {
        guard Glibc.listen(descriptor.number, 8) == 0 else { throw .last("listen") }
    }

    package func connect(to address: AddressAndPort) throws(SystemError) {
        let code = unsafe withSockaddr(address) { unsafe Glibc.connect(descriptor.number, $0, $1) }
        guard code == 0 else { throw .last("connect") }
    }

    package func accept() throws(SystemError) -> InternetSocket {
        let accepted = Glibc.accept(descriptor.number, nil, nil)
        guard accepted >= 0 else { throw .last("accept") }
        return InternetSocket(accepted: accepted, family)
    }

    /// One byte to an address.
    package func send(to address: AddressAndPort) throws(SystemError) {
        let code = unsafe withSockaddr(address) { unsafe sendto(descriptor.number, "x", 1, 0, $0, $1) }
        guard code == 1 else { throw .last("sendto") }
    }

    /// Waits for a datagram, and says where it came from.
    package func receive() throws(SystemError) -> AddressAndPort {
        var byte: UInt8 = 0
        return try unsafe readAddress("recvfrom") { unsafe Int32(recvfrom(descriptor.number, &byte, 1, 0, $0, $1)) }
    }

    package func localAddress() throws(SystemError) -> AddressAndPort {
        try unsafe readAddress("getsockname") { unsafe getsockname(descriptor.number, $0, $1) }
    }

    package func peerAddress() throws(SystemError) -> AddressAndPort {
        try unsafe readAddress("getpeername") { unsafe getpeername(descriptor.number, $0, $1) }
    }

    /// The kernel's number for the socket (SO_COOKIE).
    package func cookie() throws(SystemError) -> UInt64 {
        try option(SO_COOKIE, "SO_COOKIE")
    }

    /// The kernel's number for the socket's network namespace (SO_NETNS_COOKIE, Linux 5.14).
    package func namespaceCookie() throws(SystemError) -> UInt64 {
        try option(71, "SO_NETNS_COOKIE")
    }

    /// Reads and clears the error that the socket was given from outside (SO_ERROR).
    package func pendingError() -> Int32 {
        do {
            return try option(SO_ERROR, "SO_ERROR")
        } catch {
            return error.errno
        }
    }

    private func option<Value: FixedWidthInteger & BitwiseCopyable>(
        _ number: Int32, _ name: String
    ) throws(SystemError) -> Value {
        var value: Value = 0
        var size = socklen_t(MemoryLayout<Value>.size)
        // The kernel writes at most `size` bytes.
        guard unsafe getsockopt(descriptor.number, SOL_SOCKET, number, &value, &size) == 0 else { throw .last(name) }
        return value
    }

    private func withSockaddr<Result>(
        _ address: AddressAndPort, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        unsafe SocketAddress(address, for: family).bytes.withUnsafeBytes { raw in
            unsafe body(raw.assumingMemoryBound(to: sockaddr.self).baseAddress!, socklen_t(raw.count))
        }
    }

    private func readAddress(
        _ operation: String, _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) throws(SystemError) -> AddressAndPort {
        var bytes = [UInt8](repeating: 0, count: SocketAddress.maximumSize)
        var size = socklen_t(bytes.count)
        let code = unsafe bytes.withUnsafeMutableBytes { raw in
            unsafe body(raw.assumingMemoryBound(to: sockaddr.self).baseAddress!, &size)
        }
        guard code >= 0 else { throw .last(operation) }
        guard let address = SocketAddress(bytes: bytes).decoded(for: family) else {
            throw SystemError(operation: operation, errno: EAFNOSUPPORT)
        }
        return address
    }
}
