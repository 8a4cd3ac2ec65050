// An address with a port as the socket calls have it: the bytes of a sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)).

import Glibc
import NetworkTypes

struct SocketAddress: Hashable {
    /// The longer of the two structs.
    static let maximumSize = 28

    var bytes: [UInt8]

    /// As sockets of `family` want it: IPv4 addresses are mapped for IPv6 ones.
    init(_ address: AddressAndPort, for family: AddressFamily) {
        let number = UInt16(family == .ipv4 ? AF_INET : AF_INET6)
        let head = [UInt8(truncatingIfNeeded: number.littleEndian), UInt8(number.littleEndian >> 8)]
        let native = number == number.littleEndian ? head : head.reversed()
        let port = [UInt8(address.port >> 8), UInt8(truncatingIfNeeded: address.port)]
        bytes =
            family == .ipv4
            ? native + port + address.address.bytes.suffix(4) + [UInt8](repeating: 0, count: 8)
            : native + port + [0, 0, 0, 0] + address.address.bytes + [0, 0, 0, 0]
    }

    /// What the kernel has written for a socket of `family`, in an array of the maximum size.
    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    func decoded(for family: AddressFamily) -> AddressAndPort? {
        guard bytes.count == Self.maximumSize else { return nil }
        let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        let mapped = [UInt8](repeating: 0, count: 10) + [0xff, 0xff] + bytes[4..<8]
        let address = family == .ipv4 ? IPAddress(bytes: mapped) : IPAddress(bytes: bytes[8..<24])
        return address.map { AddressAndPort(address: $0, port: port) }
    }
}
