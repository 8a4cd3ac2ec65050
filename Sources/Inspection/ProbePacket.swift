// The first packet of a connection as a frame: what a client's SYN, datagram or INIT looks like when it arrives. To be
// given to a program in a test run; it is never sent.

import NetworkTypes

struct ProbePacket {
    var source: AddressAndPort
    var destination: AddressAndPort
    var protocolKind: TransportProtocol

    private static let hops: UInt8 = 64

    /// From the Ethernet header on, with correct checksums. The addresses must be of one family.
    var frame: [UInt8] {
        // Link addresses that nobody has: locally administered (IEEE 802, 8.2.2).
        let ethernet: [UInt8] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1]
        switch destination.address.family {
        case .ipv4: return ethernet + [0x08, 0x00] + ipv4Header + transport
        case .ipv6: return ethernet + [0x86, 0xdd] + ipv6Header + transport
        }
    }

    private var ipv4Header: [UInt8] {
        let length = UInt16(20 + transportBytes)
        var header: [UInt8] = [0x45, 0] + Self.bytes(length) + [0, 1, 0x40, 0, Self.hops, protocolKind.rawValue, 0, 0]
        header += addressBytes
        header.replaceSubrange(10..<12, with: Self.bytes(~Self.sum(header)))
        return header
    }

    private var ipv6Header: [UInt8] {
        [0x60, 0, 0, 0] + Self.bytes(UInt16(transportBytes)) + [protocolKind.rawValue, Self.hops] + addressBytes
    }

    private var addressBytes: [UInt8] { Self.bytes(source.address) + Self.bytes(destination.address) }

    private var ports: [UInt8] { Self.bytes(source.port) + Self.bytes(destination.port) }

    private var transportBytes: Int {
        switch protocolKind {
        case .tcp: 24
        case .udp: 12
        case .sctp: 32
        }
    }

    private var transport: [UInt8] {
        var bytes: [UInt8]
        let checksum: Int
        switch protocolKind {
        // A SYN with sequence number 1, a window, and the MSS that every client states.
        case .tcp:
            bytes = ports + [0, 0, 0, 1, 0, 0, 0, 0, 0x60, 0x02, 0xff, 0xff, 0, 0, 0, 0, 2, 4, 0x05, 0xb4]
            checksum = 16
        case .udp:
            bytes = ports + [0, 12, 0, 0] + [0, 0, 0, 0]
            checksum = 6
        case .sctp: return initiation
        }
        let sum = ~Self.sum(pseudoHeader + bytes)
        bytes.replaceSubrange(checksum..<checksum + 2, with: Self.bytes(sum == 0 ? 0xffff : sum))
        return bytes
    }

    /// RFC 9293 3.1; the longer form of RFC 8200 8.1 has the same sum.
    private var pseudoHeader: [UInt8] {
        addressBytes + [0, protocolKind.rawValue] + Self.bytes(UInt16(transportBytes))
    }

    /// An INIT chunk (RFC 9260, 3.3.2).
    private var initiation: [UInt8] {
        var bytes =
            ports + [0, 0, 0, 0, 0, 0, 0, 0] + [1, 0, 0, 20]
            + [0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1]
        let sum = Self.crc32c(bytes)
        // The low octet comes first (RFC 9260, appendix A).
        bytes.replaceSubrange(8..<12, with: (0..<4).map { UInt8(truncatingIfNeeded: sum >> (8 * $0)) })
        return bytes
    }

    /// As in the packet: of an IPv4-mapped address the IPv4 part.
    private static func bytes(_ address: IPAddress) -> [UInt8] {
        address.family == .ipv4 ? address.bytes.suffix(4) : address.bytes
    }

    private static func bytes(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xff)] }

    /// The internet checksum before it is inverted (RFC 1071), of an even number of bytes.
    private static func sum(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for index in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[index]) << 8 | UInt32(bytes[index + 1])
        }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        return UInt16(sum)
    }

    /// Castagnoli's polynomial, reflected.
    private static func crc32c(_ bytes: [UInt8]) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1 }
        }
        return ~sum
    }
}
