// The walk through a packet that finds its problems. Quoted packets may be cut; then what their lengths and transport
// checksums say cannot be judged, and their IP headers still can.

import NetworkTypes

struct PacketInspection {
    private(set) var problems: [PacketProblem] = []
    /// The way to the packet that is visited.
    private var path = ""
    private var mayBeCut = false

    /// - Parameter mayTrail: whether bytes may follow the packet.
    mutating func visit(_ packet: Packet, mayTrail: Bool = true) {
        let body = packet.content.bytes(in: packet.header)
        let isCut = visit(packet.header, contentCount: body.count)
        if !mayTrail, !packet.trailer.isEmpty {
            add(.length, "trailer", "\(packet.trailer.count) bytes after the end")
        }
        visit(packet.content, in: packet.header, isWhole: !isCut && !packet.header.isFragment)
    }

    /// Whether the packet is cut, and rightly so.
    private mutating func visit(_ header: IPHeader, contentCount: Int) -> Bool {
        switch header {
        case .ipv4(let header):
            if let wrong = header.headerLength { add(.length, "ipv4.headerLength", "\(wrong)") }
            if let wrong = header.checksum { add(.headerChecksum, "ipv4.checksum", "\(wrong.hex) is wrong") }
            return isCut(header.totalLength, actual: header.byteCount + contentCount, "ipv4.totalLength")
        case .ipv6(let header):
            for (index, one) in header.extensions.enumerated() {
                guard let wrong = one.length else { continue }
                add(.length, "ipv6.extensions[\(index)].length", "\(wrong)")
            }
            let actual = IPHeader.ipv6(header).byteCount - 40 + contentCount
            return isCut(header.payloadLength, actual: actual, "ipv6.payloadLength")
        }
    }

    private mutating func isCut(_ length: UInt16?, actual: Int, _ name: String) -> Bool {
        guard let length else { return false }
        if mayBeCut, Int(length) > actual { return true }
        add(.length, name, "\(length), with \(actual) bytes there")
        return false
    }

    private mutating func visit(_ content: Content, in header: IPHeader, isWhole: Bool) {
        switch content {
        case .tcp(let segment):
            if let wrong = segment.dataOffset { add(.length, "tcp.dataOffset", "\(wrong)") }
            visit(segment.checksum, "tcp.checksum", isWhole)
        case .udp(let datagram):
            let actual = 8 + datagram.payload.count
            if let length = datagram.length, isWhole || Int(length) <= actual {
                add(.length, "udp.length", "\(length), with \(actual) bytes there")
            }
            if datagram.checksum != .absent {
                visit(datagram.checksum, "udp.checksum", isWhole)
            } else if header.family == .ipv6 {
                add(.transportChecksum, "udp.checksum", "zero, which IPv6 does not allow")
            }
        case .sctp(let packet): visit(packet, isWhole)
        case .icmp(let message):
            visit(message.checksum, "icmp.checksum", isWhole)
            visit(message, in: header, isWhole)
        case .packet(let inner): descend("inner.", mayBeCut: !isWhole) { $0.visit(inner, mayTrail: false) }
        case .raw(let transport, let bytes):
            guard isWhole, Self.isReadable(transport, in: header) else { return }
            add(.unreadable, "transport \(transport)", "\(bytes.count) bytes that cannot be read")
        }
    }

    private mutating func visit(_ packet: SCTPPacket, _ isWhole: Bool) {
        guard isWhole else { return }
        switch packet.checksum {
        case .computed: break
        case .absent: add(.unfinishedChecksum, "sctp.checksum", "zero")
        case .value(let wrong): add(.transportChecksum, "sctp.checksum", "\(wrong.hex) is wrong")
        }
        if !packet.rest.isEmpty { add(.length, "sctp.rest", "\(packet.rest.count) bytes that are no chunk") }
    }

    private mutating func visit(_ message: ICMPMessage, in header: IPHeader, _ isWhole: Bool) {
        switch message.body {
        case .error(let word, let packet):
            // RFC 4884: with a length in the second word, extensions follow the quote.
            let length = header.family == .ipv4 ? word >> 16 & 255 : word >> 24
            descend("icmp.quoted.", mayBeCut: true) {
                $0.visit(packet, mayTrail: length != 0 && message.type != 2)
            }
        case .other where isWhole && ICMPMessage.isError(message.type, header.family):
            add(.unreadable, "icmp.quoted", "no packet that can be read")
        case .echo, .other: break
        }
    }

    private mutating func visit(_ checksum: Checksum, _ name: String, _ isWhole: Bool) {
        switch checksum {
        case .computed: break
        case .unfinished where isWhole: add(.unfinishedChecksum, name, "the pseudo-header's only")
        case .absent where isWhole: add(.transportChecksum, name, "zero is wrong")
        case .value(let wrong) where isWhole: add(.transportChecksum, name, "\(wrong.hex) is wrong")
        case .absent, .unfinished, .value: break
        }
    }

    private mutating func descend(_ step: String, mayBeCut: Bool, _ visit: (inout Self) -> Void) {
        let before = (path, self.mayBeCut)
        path += step
        self.mayBeCut = self.mayBeCut || mayBeCut
        visit(&self)
        (path, self.mayBeCut) = before
    }

    private mutating func add(_ kind: PacketProblem.Kind, _ name: String, _ detail: String) {
        problems.append(PacketProblem(kind: kind, place: path + name, detail: detail))
    }

    /// What the kit reads when it is well formed.
    private static func isReadable(_ transport: UInt8, in header: IPHeader) -> Bool {
        [4, 6, 17, 41, 132, ICMPMessage.transport(in: header.family)].contains(transport)
            || (header.family == .ipv6 && IPv6Extension.Kind(rawValue: transport) != nil)
    }
}
