// What random good packets carry.

package import NetworkTypes

extension PacketGenerator {
    /// No fragment; tunnels and errors hold packets of the same making, a few levels deep.
    package mutating func wholePacket(_ wanted: AddressFamily? = nil, depth: Int = 0) -> Packet {
        let family = family(wanted)
        let (packet, ports) = header(family)
        switch number(0...(depth < 3 ? 9 : 6)) as Int {
        case 0...2: return tcp(packet, ports)
        case 3...4: return udp(packet, ports)
        case 5: return sctp(packet, ports)
        case 6: return echo(packet)
        case 7: return packet.raw(pick([47, 50, 51, 89, 253]), payload())
        case 8: return packet.carrying(.packet(wholePacket(depth: depth + 1)))
        default: return error(in: packet, about: wholePacket(family, depth: depth + 1))
        }
    }

    mutating func payload() -> [UInt8] {
        bytes(oneIn(10) ? number(500...1400) : oneIn(3) ? 0 : number(1...64))
    }

    private mutating func tcp(_ packet: Packet, _ ports: (source: UInt16, destination: UInt16)) -> Packet {
        var options: [TCPOption] = []
        if oneIn(2) { options.append(.mss(random())) }
        if oneIn(3) { options.append(.selectiveAcknowledgmentsPermitted) }
        if oneIn(3) { options.append(.timestamps(random(), echo: random())) }
        if oneIn(4) { options += [.noOperation, .windowScale(number(0...14))] }
        if oneIn(8) { options.append(.other(kind: 253, bytes(number(0...6)))) }
        let flags: TCPFlags = pick([.syn, [.syn, .ack], .ack, [.psh, .ack], [.fin, .ack], .rst, [.syn, .ece, .cwr]])
        var packet = packet.tcp(
            from: ports.source, to: ports.destination, flags, sequence: random(), acknowledgment: random(),
            window: random(),
            options: options, payload: flags.contains(.syn) ? [] : payload())
        if oneIn(10) { packet.tcp?.urgentPointer = random() }
        return packet
    }

    private mutating func udp(_ packet: Packet, _ ports: (source: UInt16, destination: UInt16)) -> Packet {
        packet.udp(
            from: ports.source, to: ports.destination, payload: payload(),
            checksum: packet.header.family == .ipv4 && oneIn(6) ? .absent : .computed)
    }

    private mutating func sctp(_ packet: Packet, _ ports: (source: UInt16, destination: UInt16)) -> Packet {
        packet.sctp(
            from: ports.source, to: ports.destination, tag: random(),
            oneIn(2) ? [.initiation(tag: random(), sequence: random())] : [.data(payload()), .data(payload())])
    }

    private mutating func echo(_ packet: Packet) -> Packet {
        oneIn(2)
            ? packet.echoRequest(identifier: random(), sequence: random(), payload: payload())
            : packet.echoReply(identifier: random(), sequence: random(), payload: payload())
    }

    private mutating func error(in packet: Packet, about other: Packet) -> Packet {
        let limit: QuoteLimit = pick([.headerAndEightBytes, .standard, .bytes(other.header.byteCount + 20)])
        switch number(0...3) as Int {
        case 0: return packet.portUnreachable(about: other, quoting: limit)
        case 1: return packet.unreachable(code: number(0...3), about: other, quoting: limit)
        case 2: return packet.tooBig(mtu: number(68...9000), about: other, quoting: limit)
        default: return packet.timeExceeded(about: other, quoting: limit)
        }
    }
}
