// An IP packet as a value, from the IP header on. Building: Packet+Building.swift. Parsing gives back the value that
// was built; what a field says wrongly (a length, a checksum) is set in the value, and what is right is left to be
// computed, so `problems` follow from the value.

package struct Packet: Equatable, Sendable {
    package var header: IPHeader
    package var content: Content
    /// Bytes after the end that the IP header names, such as the padding of short Ethernet frames.
    package var trailer: [UInt8]

    package init(_ header: IPHeader, _ content: Content, trailer: [UInt8] = []) {
        self.header = header
        self.content = content
        self.trailer = trailer
    }
}

/// What an IP header carries.
package indirect enum Content: Equatable, Sendable {
    case tcp(TCPSegment)
    case udp(UDPDatagram)
    case sctp(SCTPPacket)
    /// ICMPv4 in IPv4, ICMPv6 in IPv6.
    case icmp(ICMPMessage)
    /// IPIP and the like: a packet in a packet.
    case packet(Packet)
    /// Another protocol, a fragment other than the first, or a transport header that cannot be read.
    case raw(transport: UInt8, [UInt8])
}

/// Bytes that do not start with a whole IP header.
package struct UnreadablePacket: Error, Equatable, CustomStringConvertible {
    package var reason: String
    package var bytes: [UInt8]

    package var description: String { "no packet: \(reason): \(bytes.hex)" }
}
