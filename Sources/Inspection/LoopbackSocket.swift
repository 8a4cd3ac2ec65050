// A socket for trying things out: blocking with a time limit, and only ever pointed at loopback addresses, or, for
// connected UDP, at an address that nothing is sent to.

import Glibc
import NetworkTypes

/// What a socket call came to.
struct SocketError: Error, Hashable, CustomStringConvertible {
    let operation: String
    let errno: Int32

    /// Takes the error of the last failed call.
    static func last(_ operation: String) -> SocketError { SocketError(operation: operation, errno: Glibc.errno) }

    var description: String { "\(operation): \(unsafe String(cString: strerror(errno))) (\(errno))" }
}

struct LoopbackSocket: ~Copyable {
    enum Kind {
        case tcp
        case udp
        case mptcp
    }

    private let descriptor: Int32
    let family: AddressFamily

    init(_ kind: Kind, _ family: AddressFamily) throws(SocketError) {
        let type = kind == .udp ? SOCK_DGRAM : SOCK_STREAM
        let number: Int32 = kind == .mptcp ? 262 : 0
        descriptor = socket(family == .ipv4 ? AF_INET : AF_INET6, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), number)
        self.family = family
        guard descriptor >= 0 else { throw .last("open a socket") }
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    private init(accepted: Int32, _ family: AddressFamily) {
        descriptor = accepted
        self.family = family
    }

    func bind(to address: AddressAndPort) throws(SocketError) {
        let code = unsafe withSockaddr(address) { unsafe Glibc.bind(descriptor, $0, $1) }
        guard code == 0 else { throw .last("bind") }
    }

    func listen() throws(SocketError) {
        guard Glibc.listen(descriptor, 8) == 0 else { throw .last("listen") }
    }

    func connect(to address: AddressAndPort) throws(SocketError) {
        let code = unsafe withSockaddr(address) { unsafe Glibc.connect(descriptor, $0, $1) }
        guard code == 0 else { throw .last("connect") }
    }

    func accept() throws(SocketError) -> LoopbackSocket {
        let accepted = Glibc.accept(descriptor, nil, nil)
        guard accepted >= 0 else { throw .last("accept") }
        return LoopbackSocket(accepted: accepted, family)
    }

    /// One byte to an address.
    func send(to address: AddressAndPort) throws(SocketError) {
        let code = unsafe withSockaddr(address) { unsafe sendto(descriptor, "x", 1, 0, $0, $1) }
        guard code == 1 else { throw .last("sendto") }
    }

    /// Waits for a datagram, and says where it came from.
    func receive() throws(SocketError) -> AddressAndPort {
        var byte: UInt8 = 0
        return try unsafe readAddress("recvfrom") { unsafe Int32(recvfrom(descriptor, &byte, 1, 0, $0, $1)) }
    }

    func localAddress() throws(SocketError) -> AddressAndPort {
        try unsafe readAddress("getsockname") { unsafe getsockname(descriptor, $0, $1) }
    }

    func peerAddress() throws(SocketError) -> AddressAndPort {
        try unsafe readAddress("getpeername") { unsafe getpeername(descriptor, $0, $1) }
    }

    /// The kernel's number for the socket (SO_COOKIE).
    func cookie() throws(SocketError) -> UInt64 {
        var cookie: UInt64 = 0
        var size = socklen_t(MemoryLayout<UInt64>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 else {
            throw .last("SO_COOKIE")
        }
        return cookie
    }

    /// The kernel's number for the socket's network namespace (SO_NETNS_COOKIE, Linux 5.14).
    func namespaceCookie() throws(SocketError) -> UInt64 {
        let option: Int32 = 71
        var cookie: UInt64 = 0
        var size = socklen_t(MemoryLayout<UInt64>.size)
        guard unsafe getsockopt(descriptor, SOL_SOCKET, option, &cookie, &size) == 0 else {
            throw .last("SO_NETNS_COOKIE")
        }
        return cookie
    }

    /// Reads and clears the error that the socket was given from outside (SO_ERROR).
    func pendingError() -> Int32 {
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        return unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno
    }

    /// sockaddr_in or sockaddr_in6, as the family of the socket wants it.
    private func withSockaddr<Result>(
        _ address: AddressAndPort, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        let port = [UInt8(address.port >> 8), UInt8(truncatingIfNeeded: address.port)]
        let number = UInt16(family == .ipv4 ? AF_INET : AF_INET6)
        let head = [UInt8(truncatingIfNeeded: number.littleEndian), UInt8(number.littleEndian >> 8)]
        let native = number == number.littleEndian ? head : head.reversed()
        let bytes: [UInt8] =
            family == .ipv4
            ? native + port + address.address.bytes.suffix(4) + [UInt8](repeating: 0, count: 8)
            : native + port + [0, 0, 0, 0] + address.address.bytes + [0, 0, 0, 0]
        return unsafe bytes.withUnsafeBytes { raw in
            let pointer = unsafe raw.assumingMemoryBound(to: sockaddr.self).baseAddress!
            return unsafe body(pointer, socklen_t(raw.count))
        }
    }

    private func readAddress(
        _ operation: String, _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) throws(SocketError) -> AddressAndPort {
        var bytes = [UInt8](repeating: 0, count: 28)
        var size = socklen_t(bytes.count)
        let code = unsafe bytes.withUnsafeMutableBytes { raw in
            unsafe body(raw.assumingMemoryBound(to: sockaddr.self).baseAddress!, &size)
        }
        guard code >= 0 else { throw .last(operation) }
        let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + bytes[4..<8]
        let address = family == .ipv4 ? IPAddress(bytes: mapped) : IPAddress(bytes: bytes[8..<24])
        guard let address else { throw SocketError(operation: operation, errno: EAFNOSUPPORT) }
        return AddressAndPort(address: address, port: port)
    }
}
