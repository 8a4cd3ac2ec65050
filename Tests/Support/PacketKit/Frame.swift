// A packet in its Ethernet frame: what test runs of XDP and TC programs take and give. A frame's members are its
// packet's, so `frame.destination` is an IP address and `frame.ethernet.destination` a MAC address.

@dynamicMemberLookup
package struct Frame: Equatable, Sendable {
    package var ethernet: Ethernet
    /// Padding of short frames is the packet's `trailer`.
    package var packet: Packet

    package init(_ packet: Packet, ethernet: Ethernet = .toNode) {
        self.packet = packet
        self.ethernet = ethernet
    }

    /// Reads any bytes that start with Ethernet, VLAN tags and a complete IP header; what follows may be nonsense.
    package init(parsing bytes: [UInt8]) throws(UnreadablePacket) {
        var reader = ByteReader(bytes)
        guard var ethernet = Ethernet(reading: &reader) else {
            throw UnreadablePacket(reason: "\(bytes.count) bytes end in the Ethernet header", bytes: bytes)
        }
        packet = try Packet(parsing: reader.takeRest())
        if ethernet.etherType == packet.etherType { ethernet.etherType = nil }
        self.ethernet = ethernet
    }

    package var bytes: [UInt8] { ethernet.bytes(etherType: packet.etherType) + packet.bytes }

    /// With zeros at the end, up to the shortest frame that Ethernet carries.
    package func padded(to count: Int = 60) -> Frame {
        var padded = self
        padded.packet.trailer += [UInt8](repeating: 0, count: max(0, count - bytes.count))
        return padded
    }

    package subscript<Value>(dynamicMember path: WritableKeyPath<Packet, Value>) -> Value {
        get { packet[keyPath: path] }
        set { packet[keyPath: path] = newValue }
    }

    package subscript<Value>(dynamicMember path: KeyPath<Packet, Value>) -> Value { packet[keyPath: path] }
}

extension Packet {
    package func framed(_ ethernet: Ethernet = .toNode) -> Frame { Frame(self, ethernet: ethernet) }

    package func bytes(ethernet: Ethernet) -> [UInt8] { framed(ethernet).bytes }

    fileprivate var etherType: UInt16 {
        switch header {
        case .ipv4: 0x0800
        case .ipv6: 0x86dd
        }
    }
}
