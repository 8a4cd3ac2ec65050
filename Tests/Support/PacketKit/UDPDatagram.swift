// A UDP datagram (RFC 768).

package struct UDPDatagram: Equatable, Sendable {
    package static let transport: UInt8 = 17

    package var sourcePort: UInt16
    package var destinationPort: UInt16
    package var payload: [UInt8]
    package var checksum = Checksum.computed
    /// Of header and payload, if it is to contradict what is there.
    package var length: UInt16?

    package init(from source: UInt16, to destination: UInt16, payload: [UInt8] = []) {
        sourcePort = source
        destinationPort = destination
        self.payload = payload
    }

    package func bytes(in header: IPHeader) -> [UInt8] {
        var bytes = sourcePort.networkOrder + destinationPort.networkOrder
        bytes.append(length ?? UInt16(truncatingIfNeeded: 8 + payload.count))
        bytes.append(UInt16(0))
        bytes += payload
        Self.rule(in: header).fill(&bytes, with: checksum)
        return bytes
    }

    /// Nil if there is no whole header.
    init?(parsing bytes: [UInt8], in header: IPHeader) {
        guard bytes.count >= 8 else { return nil }
        self.init(from: bytes.integer(at: 0), to: bytes.integer(at: 2), payload: Array(bytes[8...]))
        let stored: UInt16 = bytes.integer(at: 4)
        if stored != UInt16(truncatingIfNeeded: bytes.count) { length = stored }
        checksum = Self.rule(in: header).read(bytes)
    }

    private static func rule(in header: IPHeader) -> ChecksumRule {
        ChecksumRule(offset: 6, pseudoHeader: header.pseudoHeader(transport), avoidsZero: true)
    }
}
