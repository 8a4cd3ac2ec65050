// Ports of whatever has ports, also of a transport header that is cut after them, as in short ICMP quotes.

package import NetworkTypes

extension Packet {
    package var sourcePort: UInt16? {
        get {
            content.port(\.sourcePort, \.sourcePort, \.sourcePort, cutAt: 0, isLaterFragment: header.isLaterFragment)
        }
        set { setPort(newValue, \.sourcePort, \.sourcePort, \.sourcePort, cutAt: 0) }
    }

    package var destinationPort: UInt16? {
        get {
            content.port(
                \.destinationPort, \.destinationPort, \.destinationPort, cutAt: 2,
                isLaterFragment: header.isLaterFragment)
        }
        set { setPort(newValue, \.destinationPort, \.destinationPort, \.destinationPort, cutAt: 2) }
    }

    /// Source address and port in one; nil without ports.
    package var sender: AddressAndPort? {
        get { sourcePort.map { AddressAndPort(address: source, port: $0) } }
        set {
            guard let newValue else { return }
            (source, sourcePort) = (newValue.address, newValue.port)
        }
    }

    /// Destination address and port in one; nil without ports.
    package var receiver: AddressAndPort? {
        get { destinationPort.map { AddressAndPort(address: destination, port: $0) } }
        set {
            guard let newValue else { return }
            (destination, destinationPort) = (newValue.address, newValue.port)
        }
    }

    private mutating func setPort(
        _ port: UInt16?, _ tcp: WritableKeyPath<TCPSegment, UInt16>, _ udp: WritableKeyPath<UDPDatagram, UInt16>,
        _ sctp: WritableKeyPath<SCTPPacket, UInt16>, cutAt offset: Int
    ) {
        guard let port else { return }
        switch content {
        case .tcp(var segment):
            segment[keyPath: tcp] = port
            content = .tcp(segment)
        case .udp(var datagram):
            datagram[keyPath: udp] = port
            content = .udp(datagram)
        case .sctp(var packet):
            packet[keyPath: sctp] = port
            content = .sctp(packet)
        case .raw(let transport, var bytes)
        where Content.hasPorts(transport) && bytes.count >= 4 && !header.isLaterFragment:
            bytes.set(port, at: offset)
            content = .raw(transport: transport, bytes)
        case .icmp, .packet, .raw: mistake(port, "one with ports")
        }
    }
}

extension Content {
    fileprivate func port(
        _ tcp: KeyPath<TCPSegment, UInt16>, _ udp: KeyPath<UDPDatagram, UInt16>, _ sctp: KeyPath<SCTPPacket, UInt16>,
        cutAt offset: Int, isLaterFragment: Bool
    ) -> UInt16? {
        switch self {
        case .tcp(let segment): segment[keyPath: tcp]
        case .udp(let datagram): datagram[keyPath: udp]
        case .sctp(let packet): packet[keyPath: sctp]
        case .raw(let transport, let bytes)
        where Self.hasPorts(transport) && bytes.count >= 4 && !isLaterFragment: bytes.integer(at: offset)
        case .icmp, .packet, .raw: nil
        }
    }

    static func hasPorts(_ transport: UInt8) -> Bool {
        TransportProtocol(rawValue: transport) != nil
    }
}
