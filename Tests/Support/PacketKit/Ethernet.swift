// The Ethernet header with its VLAN tags (IEEE 802.3, 802.1Q, 802.1ad).

package struct MACAddress: Hashable, Sendable {
    /// Six, in the order of transmission.
    package let bytes: [UInt8]

    package init?(bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
        guard self.bytes.count == 6 else { return nil }
    }
}

extension MACAddress: ExpressibleByStringLiteral, CustomStringConvertible {
    package init(stringLiteral text: String) {
        let parts = text.split(separator: ":").compactMap { UInt8($0, radix: 16) }
        guard let address = MACAddress(bytes: parts) else { preconditionFailure("\(text) is no MAC address") }
        self = address
    }

    package var description: String { bytes.map { [$0].hex }.joined(separator: ":") }
}

package struct VLANTag: Hashable, Sendable {
    /// 0x8100 for 802.1Q, 0x88a8 for the outer tag of 802.1ad.
    package var tagType: UInt16
    /// 0...7.
    package var priority: UInt8
    package var dropEligible: Bool
    /// 0...4095.
    package var identifier: UInt16

    package init(_ identifier: UInt16, priority: UInt8 = 0, dropEligible: Bool = false, tagType: UInt16 = 0x8100) {
        self.identifier = identifier
        self.priority = priority
        self.dropEligible = dropEligible
        self.tagType = tagType
    }

    /// The outer tag of QinQ.
    package static func service(_ identifier: UInt16) -> VLANTag { VLANTag(identifier, tagType: 0x88a8) }

    var control: UInt16 {
        UInt16(priority) << 13 | (dropEligible ? 0x1000 : 0) | identifier & 0xfff
    }
}

package struct Ethernet: Hashable, Sendable {
    package var source: MACAddress
    package var destination: MACAddress
    /// Outermost first.
    package var vlans: [VLANTag]
    /// Nil: that of the packet's IP version.
    package var etherType: UInt16?

    package init(from source: MACAddress, to destination: MACAddress, vlans: [VLANTag] = [], etherType: UInt16? = nil) {
        self.source = source
        self.destination = destination
        self.vlans = vlans
        self.etherType = etherType
    }

    /// For tests that do not look at Ethernet: from a router to this node.
    package static let toNode = Ethernet(from: "02:00:00:00:00:01", to: "02:00:00:00:00:02")

    /// The other direction.
    package var swapped: Ethernet {
        var other = self
        (other.source, other.destination) = (destination, source)
        return other
    }

    /// A frame with something other than IP in it.
    package func bytes(carrying payload: [UInt8], etherType: UInt16) -> [UInt8] {
        bytes(etherType: etherType) + payload
    }

    func bytes(etherType inner: UInt16) -> [UInt8] {
        var bytes = destination.bytes + source.bytes
        for tag in vlans {
            bytes.append(tag.tagType)
            bytes.append(tag.control)
        }
        bytes.append(etherType ?? inner)
        return bytes
    }

    /// Reads the header with its tags; the EtherType is in `etherType`.
    init?(reading reader: inout ByteReader) {
        guard let destination = reader.take(6).flatMap({ MACAddress(bytes: $0) }),
            let source = reader.take(6).flatMap({ MACAddress(bytes: $0) }), var type = reader.integer(UInt16.self)
        else { return nil }
        self.init(from: source, to: destination)
        while type == 0x8100 || type == 0x88a8 {
            guard let control = reader.integer(UInt16.self), let next = reader.integer(UInt16.self) else { return nil }
            vlans.append(
                VLANTag(
                    control & 0xfff, priority: UInt8(control >> 13), dropEligible: control & 0x1000 != 0, tagType: type)
            )
            type = next
        }
        etherType = type
    }
}
