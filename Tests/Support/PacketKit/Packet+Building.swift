// How tests write packets down: an IP header, then what it carries.
//
//     Packet.ip(from: "192.0.2.7", to: "198.51.100.1").tcp(from: 40000, to: 80, [.syn], options: [.mss(1460)])
//
// ICMP errors and tunnels are in Packet+Errors.swift and Packet+Tunnels.swift.

package import NetworkTypes

extension Packet {
    /// Of the family of the addresses, for tests of both.
    package static func ip(
        from source: IPAddress, to destination: IPAddress, hops: UInt8 = 64, trafficClass: UInt8 = 0
    ) -> Packet {
        switch source.family {
        case .ipv4: ipv4(from: source, to: destination, hops: hops, trafficClass: trafficClass)
        case .ipv6: ipv6(from: source, to: destination, hops: hops, trafficClass: trafficClass)
        }
    }

    /// - Parameters:
    ///   - fragmentOffset: in units of 8 bytes.
    ///   - options: whole options; padded with zeros.
    package static func ipv4(
        from source: IPAddress, to destination: IPAddress, hops: UInt8 = 64, trafficClass: UInt8 = 0,
        identification: UInt16 = 0, dontFragment: Bool = true, moreFragments: Bool = false, fragmentOffset: UInt16 = 0,
        options: [UInt8] = []
    ) -> Packet {
        let header = IPv4Header(
            from: source, to: destination, hops: hops, trafficClass: trafficClass, identification: identification,
            dontFragment: dontFragment, moreFragments: moreFragments, fragmentOffset: fragmentOffset, options: options)
        return Packet(.ipv4(header), .nothing)
    }

    package static func ipv6(
        from source: IPAddress, to destination: IPAddress, hops: UInt8 = 64, trafficClass: UInt8 = 0,
        flowLabel: UInt32 = 0, extensions: [IPv6Extension] = []
    ) -> Packet {
        let header = IPv6Header(
            from: source, to: destination, hops: hops, trafficClass: trafficClass, flowLabel: flowLabel,
            extensions: extensions)
        return Packet(.ipv6(header), .nothing)
    }

    package func tcp(
        from source: UInt16, to destination: UInt16, _ flags: TCPFlags, sequence: UInt32 = 0,
        acknowledgment: UInt32 = 0, window: UInt16 = 0xffff, options: [TCPOption] = [], payload: [UInt8] = [],
        checksum: Checksum = .computed
    ) -> Packet {
        var segment = TCPSegment(from: source, to: destination, flags)
        segment.sequence = sequence
        segment.acknowledgment = acknowledgment
        segment.window = window
        segment.options = options
        segment.payload = payload
        segment.checksum = checksum
        return carrying(.tcp(segment))
    }

    package func udp(
        from source: UInt16, to destination: UInt16, payload: [UInt8] = [], checksum: Checksum = .computed
    ) -> Packet {
        var datagram = UDPDatagram(from: source, to: destination, payload: payload)
        datagram.checksum = checksum
        return carrying(.udp(datagram))
    }

    package func sctp(
        from source: UInt16, to destination: UInt16, tag: UInt32 = 0, _ chunks: [SCTPChunk],
        checksum: SCTPPacket.Checksum = .computed
    ) -> Packet {
        var packet = SCTPPacket(from: source, to: destination, tag: tag, chunks)
        packet.checksum = checksum
        return carrying(.sctp(packet))
    }

    package func echoRequest(identifier: UInt16, sequence: UInt16 = 1, payload: [UInt8] = []) -> Packet {
        icmp(
            type: header.family == .ipv4 ? 8 : 128,
            .echo(identifier: identifier, sequence: sequence, payload: payload))
    }

    package func echoReply(identifier: UInt16, sequence: UInt16 = 1, payload: [UInt8] = []) -> Packet {
        icmp(
            type: header.family == .ipv4 ? 0 : 129,
            .echo(identifier: identifier, sequence: sequence, payload: payload))
    }

    package func icmp(type: UInt8, code: UInt8 = 0, _ body: ICMPMessage.Body) -> Packet {
        carrying(.icmp(ICMPMessage(type: type, code: code, body)))
    }

    /// Any other protocol, or the bytes of a fragment.
    package func raw(_ transport: UInt8, _ bytes: [UInt8]) -> Packet {
        carrying(.raw(transport: transport, bytes))
    }

    /// The same header with this in it.
    package func carrying(_ content: Content) -> Packet {
        var packet = self
        packet.content = content
        return packet
    }

    /// As Linux hands it to a device that computes checksums: TCP and UDP carry the sum of the pseudo-header, SCTP
    /// zero.
    package var withUnfinishedChecksum: Packet {
        var packet = self
        packet.tcp?.checksum = .unfinished
        packet.udp?.checksum = .unfinished
        packet.sctp?.checksum = .absent
        return packet
    }

    /// The other direction: addresses and ports exchanged, everything else as it was.
    package var swapped: Packet {
        var packet = self
        (packet.source, packet.destination) = (destination, source)
        if sourcePort != nil { (packet.sourcePort, packet.destinationPort) = (destinationPort, sourcePort) }
        return packet
    }
}

extension Content {
    /// No next header (RFC 8200, 4.7).
    package static let nothing = Content.raw(transport: 59, [])
}
