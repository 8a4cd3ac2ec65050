// A TCP segment (RFC 9293).

package struct TCPFlags: OptionSet, Hashable, Sendable {
    /// The twelve bits after the data offset.
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let fin = TCPFlags(rawValue: 0x001)
    package static let syn = TCPFlags(rawValue: 0x002)
    package static let rst = TCPFlags(rawValue: 0x004)
    package static let psh = TCPFlags(rawValue: 0x008)
    package static let ack = TCPFlags(rawValue: 0x010)
    package static let urg = TCPFlags(rawValue: 0x020)
    package static let ece = TCPFlags(rawValue: 0x040)
    package static let cwr = TCPFlags(rawValue: 0x080)
}

extension TCPFlags: CustomStringConvertible {
    package var description: String {
        let names = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"].enumerated()
            .filter { rawValue & 1 << $0.offset != 0 }.map(\.element)
        return (names + (rawValue > 255 ? [(rawValue & 0xf00).hex] : [])).joined(separator: " ")
    }
}

package struct TCPSegment: Equatable, Sendable {
    package static let transport: UInt8 = 6

    package var sourcePort: UInt16
    package var destinationPort: UInt16
    package var sequence: UInt32 = 0
    package var acknowledgment: UInt32 = 0
    package var flags: TCPFlags
    package var window: UInt16 = 0xffff
    package var urgentPointer: UInt16 = 0
    package var options: [TCPOption] = []
    package var payload: [UInt8] = []
    package var checksum = Checksum.computed
    /// The header's length in units of 4 bytes, if it is to be a wrong one.
    package var dataOffset: UInt8?

    package init(from source: UInt16, to destination: UInt16, _ flags: TCPFlags) {
        sourcePort = source
        destinationPort = destination
        self.flags = flags
    }

    package func bytes(in header: IPHeader) -> [UInt8] {
        let options = TCPOption.bytes(options)
        var bytes = sourcePort.networkOrder + destinationPort.networkOrder
        bytes.append(sequence)
        bytes.append(acknowledgment)
        let offset = UInt16(dataOffset ?? UInt8(truncatingIfNeeded: 5 + options.count / 4))
        bytes.append(offset << 12 | flags.rawValue & 0xfff)
        bytes.append(window)
        bytes.append(UInt16(0))
        bytes.append(urgentPointer)
        bytes += options + payload
        Self.rule(in: header).fill(&bytes, with: checksum)
        return bytes
    }

    /// Nil if there is no whole header.
    init?(parsing bytes: [UInt8], in header: IPHeader) {
        guard bytes.count >= 20 else { return nil }
        let control: UInt16 = bytes.integer(at: 12)
        let own = Int(control >> 12) * 4
        guard own >= 20, own <= bytes.count else { return nil }
        self.init(from: bytes.integer(at: 0), to: bytes.integer(at: 2), TCPFlags(rawValue: control & 0xfff))
        sequence = bytes.integer(at: 4)
        acknowledgment = bytes.integer(at: 8)
        window = bytes.integer(at: 14)
        urgentPointer = bytes.integer(at: 18)
        options = TCPOption.read(Array(bytes[20..<own]))
        payload = Array(bytes[own...])
        checksum = Self.rule(in: header).read(bytes)
    }

    private static func rule(in header: IPHeader) -> ChecksumRule {
        ChecksumRule(offset: 16, pseudoHeader: header.pseudoHeader(transport))
    }
}
