// What a frame that a program let go says: its ends, the tunnel around it, and whether it is a refusal. Reads only what
// `martlet explain` asks; whatever else a frame may hold is not looked at.

import NetworkTypes

struct ReadPacket: Hashable {
    struct Tunnel: Hashable {
        var source: IPAddress
        var destination: IPAddress
        /// The backend's port, which the outer header names (bpf/lib/tunnel.bpf.h).
        var port: UInt16
    }

    var source: AddressAndPort
    var destination: AddressAndPort
    /// Around the packet of these ends; nil: there is none.
    var tunnel: Tunnel?
    /// A TCP reset, or an ICMP error.
    var isRefusal: Bool

    private static let (ipv4InIPv4, ipv6InIPv6): (UInt8, UInt8) = (4, 41)
    private static let (icmp, icmpV6): (UInt8, UInt8) = (1, 58)

    /// Nil for a frame that is no whole IP packet.
    init?(frame: [UInt8]) {
        guard frame.count > 14, let outer = Header(frame[14...]) else { return nil }
        guard outer.next == Self.ipv4InIPv4 || outer.next == Self.ipv6InIPv6 else {
            self.init(outer)
            return
        }
        guard let inner = Header(outer.rest) else { return nil }
        self.init(inner)
        tunnel = Tunnel(source: outer.source, destination: outer.destination, port: outer.tag)
    }

    private init(_ header: Header) {
        let isError = header.next == Self.icmp || header.next == Self.icmpV6
        let bytes = Array(header.rest.prefix(14))
        func word(_ place: Int) -> UInt16 {
            isError || bytes.count < place + 2 ? 0 : UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1])
        }
        source = AddressAndPort(address: header.source, port: word(0))
        destination = AddressAndPort(address: header.destination, port: word(2))
        let isTCP = header.next == TransportProtocol.tcp.rawValue
        isRefusal = isError || isTCP && bytes.count == 14 && bytes[13] & 4 != 0
    }
}

/// An IP header with what it leads to.
private struct Header {
    var source: IPAddress
    var destination: IPAddress
    /// The protocol of what follows.
    var next: UInt8
    var rest: ArraySlice<UInt8>
    /// IPv4's identification, or the last 16 bits of IPv6's flow label.
    var tag: UInt16

    private static func ipv4(_ bytes: ArraySlice<UInt8>) -> IPAddress {
        IPAddress(ipv4: bytes.reduce(0) { $0 << 8 | UInt32($1) })
    }

    private static let ipv6Options: Set<UInt8> = [0, 60]

    init?(_ packet: ArraySlice<UInt8>) {
        let bytes = Array(packet)
        switch (bytes.first ?? 0) >> 4 {
        case 4:
            let length = Int(bytes[0] & 15) * 4
            guard length >= 20, bytes.count >= length else { return nil }
            (source, destination) = (Self.ipv4(bytes[12..<16]), Self.ipv4(bytes[16..<20]))
            (next, rest) = (bytes[9], bytes[length...])
            tag = UInt16(bytes[4]) << 8 | UInt16(bytes[5])
        case 6:
            guard bytes.count >= 40, let from = IPAddress(bytes: bytes[8..<24]),
                let to = IPAddress(bytes: bytes[24..<40])
            else { return nil }
            (source, destination, next, rest) = (from, to, bytes[6], bytes[40...])
            tag = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
            // Each says how long it is, in units of 8 octets after the first (RFC 8200, 4.3 and 4.6).
            while Self.ipv6Options.contains(next), let start = rest.indices.first, rest.count >= 8 {
                let length = (Int(rest[start + 1]) + 1) * 8
                next = rest[start]
                rest = rest.dropFirst(length)
            }
        default: return nil
        }
    }
}
