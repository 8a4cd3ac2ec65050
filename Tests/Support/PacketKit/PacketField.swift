// A packet as a list of named values, for people: differences and descriptions are made of them.

import NetworkTypes

struct PacketField {
    /// With the way to it: `icmp.quoted.ipv4.source`.
    var name: String
    var value: String

    init(_ name: String, _ value: Any) {
        self.name = name
        self.value = (value as? [UInt8])?.hex ?? "\(value)"
    }

    /// Nil is told as what it means.
    init(_ name: String, override value: (some CustomStringConvertible)?) {
        self.init(name, value.map { "\($0), which is wrong" } ?? "right")
    }

    func within(_ path: String) -> PacketField { PacketField(path + name, value) }
}

extension Frame {
    var fields: [PacketField] {
        [
            PacketField("ethernet.source", ethernet.source), PacketField("ethernet.destination", ethernet.destination),
            PacketField("ethernet.vlans", ethernet.vlans.map { "\($0.tagType.hex) \($0.control.hex)" }),
            PacketField("ethernet.etherType", override: ethernet.etherType?.hex),
        ] + packet.fields
    }
}

extension Packet {
    var fields: [PacketField] {
        header.fields + content.fields(in: header.family) + [PacketField("trailer", trailer)]
    }
}

extension IPHeader {
    fileprivate var fields: [PacketField] {
        switch self {
        case .ipv4(let header): header.fields.map { $0.within("ipv4.") }
        case .ipv6(let header): header.fields.map { $0.within("ipv6.") }
        }
    }
}

extension IPv4Header {
    fileprivate var fields: [PacketField] {
        [
            PacketField("source", source), PacketField("destination", destination), PacketField("hops", hops),
            PacketField("trafficClass", [trafficClass]), PacketField("identification", identification.hex),
            PacketField("reservedBit", reservedBit), PacketField("dontFragment", dontFragment),
            PacketField("moreFragments", moreFragments), PacketField("fragmentOffset", fragmentOffset),
            PacketField("options", options), PacketField("headerLength", override: headerLength),
            PacketField("totalLength", override: totalLength), PacketField("checksum", override: checksum?.hex),
        ]
    }
}

extension IPv6Header {
    fileprivate var fields: [PacketField] {
        [
            PacketField("source", source), PacketField("destination", destination), PacketField("hops", hops),
            PacketField("trafficClass", [trafficClass]), PacketField("flowLabel", flowLabel.hex),
            PacketField("payloadLength", override: payloadLength),
        ]
            + extensions.enumerated().flatMap { index, header in
                [
                    PacketField("extensions[\(index)]", "\(header.kind) \(header.body.hex)"),
                    PacketField("extensions[\(index)].length", override: header.length),
                ]
            }
    }
}

extension Content {
    fileprivate func fields(in family: AddressFamily) -> [PacketField] {
        let transport = PacketField("transport", transport(in: family))
        switch self {
        case .tcp(let segment): return [transport] + segment.fields.map { $0.within("tcp.") }
        case .udp(let datagram): return [transport] + datagram.fields.map { $0.within("udp.") }
        case .sctp(let packet): return [transport] + packet.fields.map { $0.within("sctp.") }
        case .icmp(let message): return [transport] + message.fields.map { $0.within("icmp.") }
        case .packet(let inner): return [transport] + inner.fields.map { $0.within("inner.") }
        case .raw(_, let bytes): return [transport, PacketField("raw", bytes)]
        }
    }
}

extension TCPSegment {
    fileprivate var fields: [PacketField] {
        [
            PacketField("sourcePort", sourcePort), PacketField("destinationPort", destinationPort),
            PacketField("sequence", sequence), PacketField("acknowledgment", acknowledgment),
            PacketField("flags", flags), PacketField("window", window), PacketField("urgentPointer", urgentPointer),
            PacketField("options", options.map { "\($0)" }), PacketField("dataOffset", override: dataOffset),
            PacketField("checksum", checksum), PacketField("payload", payload),
        ]
    }
}

extension UDPDatagram {
    fileprivate var fields: [PacketField] {
        [
            PacketField("sourcePort", sourcePort), PacketField("destinationPort", destinationPort),
            PacketField("length", override: length), PacketField("checksum", checksum),
            PacketField("payload", payload),
        ]
    }
}

extension SCTPPacket {
    fileprivate var fields: [PacketField] {
        [
            PacketField("sourcePort", sourcePort), PacketField("destinationPort", destinationPort),
            PacketField("tag", tag.hex), PacketField("checksum", checksum),
        ] + chunks.enumerated().map { PacketField("chunks[\($0)]", $1.bytes) } + [PacketField("rest", rest)]
    }
}

extension ICMPMessage {
    fileprivate var fields: [PacketField] {
        let head = [PacketField("type", type), PacketField("code", code), PacketField("checksum", checksum)]
        switch body {
        case .echo(let identifier, let sequence, let payload):
            return head + [
                PacketField("identifier", identifier), PacketField("sequence", sequence),
                PacketField("payload", payload),
            ]
        case .error(let word, let packet):
            return head + [PacketField("word", word.hex)] + packet.fields.map { $0.within("quoted.") }
        case .other(let bytes): return head + [PacketField("rest", bytes)]
        }
    }
}
