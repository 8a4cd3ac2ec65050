// From packets to bytes and back. For all bytes that can be read, building again gives the same bytes.

package import NetworkTypes

extension Packet {
    /// From the IP header on; `bytes(ethernet:)` has the frame.
    package var bytes: [UInt8] {
        let body = content.bytes(in: header)
        return header.bytes(transport: content.transport(in: header.family), contentCount: body.count) + body + trailer
    }

    /// Reads any bytes that start with a complete IP header; what follows may be nonsense. `Frame(parsing:)` reads
    /// frames.
    package init(parsing bytes: [UInt8]) throws(UnreadablePacket) {
        try self.init(parsing: bytes, depth: 0)
    }

    init(parsing bytes: [UInt8], depth: Int) throws(UnreadablePacket) {
        let transport: UInt8
        let extent: Range<Int>
        switch bytes.first.map({ $0 >> 4 }) {
        case 4:
            let (header, number, range) = try IPv4Header.read(bytes)
            (self.header, transport, extent) = (.ipv4(header), number, range)
        case 6:
            let (header, number, range) = try IPv6Header.read(bytes)
            (self.header, transport, extent) = (.ipv6(header), number, range)
        default:
            throw UnreadablePacket(reason: "no IP version", bytes: bytes)
        }
        content = Content(parsing: Array(bytes[extent]), transport: transport, in: header, depth: depth)
        trailer = Array(bytes[extent.upperBound...])
    }
}

extension Content {
    private static let ipv4: UInt8 = 4
    private static let ipv6: UInt8 = 41
    /// Packets within packets are read this deep; what is deeper remains bytes.
    private static let greatestDepth = 16

    /// The number of the protocol in the IP header.
    package func transport(in family: AddressFamily) -> UInt8 {
        switch self {
        case .tcp: TCPSegment.transport
        case .udp: UDPDatagram.transport
        case .sctp: SCTPPacket.transport
        case .icmp: ICMPMessage.transport(in: family)
        case .packet(let inner): inner.header.family == .ipv4 ? Self.ipv4 : Self.ipv6
        case .raw(let transport, _): transport
        }
    }

    package func bytes(in header: IPHeader) -> [UInt8] {
        switch self {
        case .tcp(let segment): segment.bytes(in: header)
        case .udp(let datagram): datagram.bytes(in: header)
        case .sctp(let packet): packet.bytes
        case .icmp(let message): message.bytes(in: header)
        case .packet(let inner): inner.bytes
        case .raw(_, let bytes): bytes
        }
    }

    init(parsing bytes: [UInt8], transport: UInt8, in header: IPHeader, depth: Int) {
        self =
            header.isLaterFragment || depth >= Self.greatestDepth
            ? .raw(transport: transport, bytes)
            : Self.read(bytes, transport, header, depth) ?? .raw(transport: transport, bytes)
    }

    private static func read(_ bytes: [UInt8], _ transport: UInt8, _ header: IPHeader, _ depth: Int) -> Content? {
        switch transport {
        case TCPSegment.transport: TCPSegment(parsing: bytes, in: header).map(Content.tcp)
        case UDPDatagram.transport: UDPDatagram(parsing: bytes, in: header).map(Content.udp)
        case SCTPPacket.transport: SCTPPacket(parsing: bytes).map(Content.sctp)
        case ICMPMessage.transport(in: header.family):
            ICMPMessage(parsing: bytes, in: header, depth: depth).map(Content.icmp)
        case ipv4, ipv6: inner(bytes, version: transport == ipv4 ? .ipv4 : .ipv6, depth)
        default: nil
        }
    }

    private static func inner(_ bytes: [UInt8], version: AddressFamily, _ depth: Int) -> Content? {
        guard let packet = try? Packet(parsing: bytes, depth: depth + 1), packet.header.family == version else {
            return nil
        }
        return .packet(packet)
    }
}
