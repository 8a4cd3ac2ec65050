// ICMP errors about packets (RFC 792, RFC 1812, 4.3.2.3, RFC 4443, 2.4). What an error quotes is cut as it will be on
// the wire, so that it compares equal with what is parsed.

import NetworkTypes

/// How much of a packet an ICMP error quotes.
package enum QuoteLimit: Equatable, Sendable {
    /// The IP header and 8 bytes: the least that there may be.
    case headerAndEightBytes
    /// As much as fits in 576 bytes (RFC 1812), or in 1280 bytes with IPv6 (RFC 4443).
    case standard
    /// So many bytes.
    case bytes(Int)

    func count(of packet: Packet, in header: IPHeader) -> Int {
        switch self {
        case .headerAndEightBytes: packet.header.byteCount + 8
        case .standard: (header.family == .ipv4 ? 576 : 1280) - header.byteCount - 8
        case .bytes(let count): count
        }
    }
}

extension Packet {
    /// "Destination unreachable" with a code of the header's family.
    package func unreachable(code: UInt8, about packet: Packet, quoting limit: QuoteLimit = .standard) -> Packet {
        error(type: header.family == .ipv4 ? 3 : 1, code: code, about: packet, quoting: limit)
    }

    /// "Port unreachable".
    package func portUnreachable(about packet: Packet, quoting limit: QuoteLimit = .standard) -> Packet {
        unreachable(code: header.family == .ipv4 ? 3 : 4, about: packet, quoting: limit)
    }

    /// "Fragmentation needed" in ICMPv4, "packet too big" in ICMPv6.
    package func tooBig(mtu: UInt32, about packet: Packet, quoting limit: QuoteLimit = .standard) -> Packet {
        switch header.family {
        case .ipv4: error(type: 3, code: 4, word: mtu, about: packet, quoting: limit)
        case .ipv6: error(type: 2, code: 0, word: mtu, about: packet, quoting: limit)
        }
    }

    /// "Time exceeded in transit".
    package func timeExceeded(about packet: Packet, quoting limit: QuoteLimit = .standard) -> Packet {
        error(type: header.family == .ipv4 ? 11 : 3, code: 0, about: packet, quoting: limit)
    }

    /// Any error.
    ///
    /// - Parameter word: the second 32 bits: an MTU, a pointer, or unused.
    package func error(
        type: UInt8, code: UInt8, word: UInt32 = 0, about packet: Packet, quoting limit: QuoteLimit = .standard
    ) -> Packet {
        var whole = packet
        whole.trailer = []
        let bytes = Array(whole.bytes.prefix(limit.count(of: packet, in: header)))
        guard let quoted = try? Packet(parsing: bytes) else {
            return icmp(type: type, code: code, .other(word.networkOrder + bytes))
        }
        return icmp(type: type, code: code, .error(word: word, about: quoted))
    }
}
