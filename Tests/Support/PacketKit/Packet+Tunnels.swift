// Packets in packets (RFC 2003, RFC 2473), and packets in fragments.

package import NetworkTypes

extension Packet {
    /// IPIP, IP6IP6 and their mixtures, by the family of the outer addresses.
    package func encapsulated(
        from source: IPAddress, to destination: IPAddress, hops: UInt8 = 64, trafficClass: UInt8 = 0
    ) -> Packet {
        encapsulated(in: .ip(from: source, to: destination, hops: hops, trafficClass: trafficClass))
    }

    /// In the header of another packet. What trails the packet then trails the outer one.
    package func encapsulated(in outer: Packet) -> Packet {
        var inner = self
        inner.trailer = []
        var packet = outer.carrying(.packet(inner))
        packet.trailer += trailer
        return packet
    }

    /// The packet in fragments of whole multiples of 8 bytes, the last one shorter. Everything after the IP header
    /// (and, in IPv6, its extension headers) is divided.
    ///
    /// - Parameters:
    ///   - size: of what a fragment carries, without headers; rounded down to a multiple of 8.
    ///   - identification: of the fragments; 16 bits in IPv4.
    package func fragments(of size: Int, identification: UInt32) -> [Packet] {
        let body = content.bytes(in: header)
        let transport = content.transport(in: header.family)
        let step = max(8, size / 8 * 8)
        return stride(from: 0, to: max(1, body.count), by: step).map { start in
            let end = min(start + step, body.count)
            let header = fragmentHeader(UInt16(start / 8), more: end < body.count, identification)
            return Packet(
                header, Content(parsing: Array(body[start..<end]), transport: transport, in: header, depth: 0))
        }
    }

    private func fragmentHeader(_ offset: UInt16, more: Bool, _ identification: UInt32) -> IPHeader {
        switch header {
        case .ipv4(var header):
            header.dontFragment = false
            header.moreFragments = more
            header.fragmentOffset = offset
            header.identification = UInt16(truncatingIfNeeded: identification)
            return .ipv4(header)
        case .ipv6(var header):
            header.extensions.append(.fragment(offset: offset, more: more, identification: identification))
            return .ipv6(header)
        }
    }
}
