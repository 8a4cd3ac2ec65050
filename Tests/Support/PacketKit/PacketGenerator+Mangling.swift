// Random bad packets, as frames of bytes: each is a good packet with one kind of harm done to it. Programs must neither
// read past the end of them nor let them through as something else.

import NetworkTypes

package enum Mangling: String, Sendable, CaseIterable {
    /// The end is missing, from anywhere after the Ethernet header.
    case truncated
    case ipVersion
    /// IHL in IPv4, payload length in IPv6.
    case headerLength
    /// Of the IP packet: less than the header, more than there is, zero.
    case packetLength
    /// TCP's data offset, UDP's length, the length of an SCTP chunk.
    case transportLength
    /// An offset or "more fragments" in a packet that is whole.
    case fragmentField
    /// IPv6 extension headers: far more of them than anybody uses, the same ones again and again.
    case longChain
    /// IPv6 extension headers whose length leads anywhere.
    case overrunningChain
    /// Packets in packets in packets.
    case deepTunnel
    case protocolNumber
    case checksum
    /// An ICMP error about something that is no packet, or about another error.
    case badQuote
    case manyVLANs
    case etherType
    case flippedBits
    case noise
}

extension PacketGenerator {
    /// A frame with at least the 14 bytes that a test run needs.
    package mutating func mangled(_ wanted: Mangling? = nil) -> (mangling: Mangling, bytes: [UInt8]) {
        let mangling = wanted ?? pick(Mangling.allCases)
        return (mangling, mangle(mangling))
    }

    /// All the beginnings of a frame that a test run takes, shortest first, without the whole.
    package static func truncations(of frame: [UInt8]) -> [[UInt8]] {
        frame.count < 15 ? [] : (14..<frame.count).map { Array(frame[..<$0]) }
    }

    private mutating func mangle(_ mangling: Mangling) -> [UInt8] {
        var frame = frame()
        switch mangling {
        case .truncated: return truncated(frame)
        case .ipVersion: return changing(frame, at: 0) { $0 & 15 | $1 << 4 }
        case .headerLength: return changing(frame, at: 0) { $0 & 0xf0 | $1 & 15 }
        case .packetLength:
            let count = UInt16(truncatingIfNeeded: frame.packet.bytes.count)
            let length: UInt16 = pick([0, 1, 19, 20, 39, 0xffff, number(0...127), count &+ 1])
            frame.packet.ipv4?.totalLength = length
            frame.packet.ipv6?.payloadLength = length
        case .transportLength: frame.packet = badTransportLength()
        case .fragmentField: frame.packet = badFragment(wholePacket())
        case .longChain: frame.packet = chain(of: number(8...120), overrunning: false)
        case .overrunningChain: frame.packet = chain(of: number(1...4), overrunning: true)
        case .deepTunnel: frame.packet = tunnel(depth: number(4...24))
        case .protocolNumber:
            frame.packet = frame.packet.raw(random(), frame.packet.content.bytes(in: frame.packet.header))
        case .checksum: frame.packet = badChecksum()
        case .badQuote: frame.packet = badQuote()
        case .manyVLANs: frame.ethernet.vlans += (0..<number(3...20)).map { VLANTag($0) }
        case .etherType:
            frame.ethernet.etherType = pick([0x0800, 0x86dd, 0x0806, 0x8847, 0x8100, 0x88a8, 46, random()])
        case .flippedBits: return flipped(frame)
        case .noise: return bytes(number(14...200))
        }
        return frame.bytes
    }

    private mutating func truncated(_ frame: Frame) -> [UInt8] {
        let bytes = frame.bytes
        return Array(bytes.prefix(number(14...max(14, min(bytes.count - 1, 200)))))
    }

    /// Changes one byte of the packet, given the old value and a random one.
    private mutating func changing(_ frame: Frame, at offset: Int, _ change: (UInt8, UInt8) -> UInt8) -> [UInt8] {
        var bytes = frame.bytes
        let place = bytes.count - frame.packet.bytes.count + offset
        bytes[place] = change(bytes[place], random())
        return bytes
    }

    private mutating func flipped(_ frame: Frame) -> [UInt8] {
        var bytes = frame.bytes
        for _ in 0..<(number(1...8) as Int) {
            bytes[number(0...min(bytes.count - 1, 80))] ^= 1 << number(0...7)
        }
        return bytes
    }

    private mutating func badTransportLength() -> Packet {
        var packet = conversation().packets[0]
        packet.tcp?.dataOffset = number(0...15)
        packet.udp?.length = oneIn(2) ? number(0...7) : random()
        if var chunk = packet.sctp?.chunks[0] {
            chunk.body = []
            packet.sctp?.rest = [chunk.type, 0] + bytes(number(2...10))
            packet.sctp?.chunks = []
        }
        return packet
    }

    private mutating func badFragment(_ whole: Packet) -> Packet {
        var packet = whole
        packet.ipv4?.fragmentOffset = oneIn(3) ? 0 : number(0...0x1fff)
        packet.ipv4?.moreFragments = oneIn(2)
        packet.ipv4?.dontFragment = oneIn(2)
        let header = IPv6Extension.fragment(offset: number(0...0x1fff), more: oneIn(2), identification: random())
        packet.ipv6?.extensions.append(header)
        return packet
    }

    private mutating func chain(of count: Int, overrunning: Bool) -> Packet {
        var packet = wholePacket(.ipv6)
        let kind = pick(IPv6Extension.Kind.allCases)
        packet.ipv6?.extensions = (0..<count).map { _ in
            oneIn(3) ? ipv6Extension(.ipv6) : IPv6Extension(kind, body: [1, 4, 0, 0, 0, 0])
        }
        if overrunning { packet.ipv6?.extensions[count - 1].length = oneIn(2) ? random() : number(1...8) }
        return packet
    }

    private mutating func tunnel(depth: Int) -> Packet {
        var packet = wholePacket(depth: 3)
        for _ in 0..<depth {
            let outer = header(family(nil)).0
            packet = packet.encapsulated(in: outer)
        }
        return packet
    }

    private mutating func badChecksum() -> Packet {
        var packet = wholePacket(depth: 3)
        let wrong: Checksum = pick([.absent, .unfinished, .value(random())])
        packet.tcp?.checksum = wrong
        packet.udp?.checksum = wrong
        packet.icmp?.checksum = wrong
        packet.sctp?.checksum = .value(random())
        if oneIn(3) { packet.ipv4?.checksum = random() }
        return packet
    }

    private mutating func badQuote() -> Packet {
        let outer = header(family(nil)).0
        let error = outer.timeExceeded(about: wholePacket(outer.header.family, depth: 2))
        switch number(0...3) as Int {
        case 0: return outer.portUnreachable(about: error)
        case 1: return outer.timeExceeded(about: badTransportLength(), quoting: .bytes(number(0...60)))
        case 2:
            guard var quoted = error.quoted else { return error }
            quoted = badFragment(quoted)
            quoted.ipv4?.headerLength = number(0...15)
            var packet = error
            packet.quoted = quoted
            return packet
        default: return outer.icmp(type: outer.header.family == .ipv4 ? 3 : 1, .other(bytes(number(0...80))))
        }
    }
}
