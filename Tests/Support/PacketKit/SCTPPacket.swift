// An SCTP packet (RFC 9260, 3): the common header with its CRC32c, and chunks.

package struct SCTPChunk: Equatable, Sendable {
    package var type: UInt8
    package var flags: UInt8
    /// After the four bytes of the chunk's header, without padding.
    package var body: [UInt8]

    package init(type: UInt8, flags: UInt8 = 0, body: [UInt8]) {
        self.type = type
        self.flags = flags
        self.body = body
    }

    package static func initiation(tag: UInt32, sequence: UInt32 = 1) -> SCTPChunk {
        SCTPChunk(
            type: 1,
            body: tag.networkOrder + UInt32(0x10000).networkOrder + [0, 10, 0xff, 0xff] + sequence.networkOrder)
    }

    /// One whole message.
    package static func data(_ payload: [UInt8], sequence: UInt32 = 1, stream: UInt16 = 0) -> SCTPChunk {
        SCTPChunk(
            type: 0, flags: 3,
            body: sequence.networkOrder + stream.networkOrder + [0, 0, 0, 0, 0, 0] + payload)
    }

    var bytes: [UInt8] {
        ([type, flags] + UInt16(truncatingIfNeeded: 4 + body.count).networkOrder + body).padded(toMultipleOf: 4)
    }

    /// Nil, and nothing consumed, if there is no whole chunk padded with zeros.
    init?(reading reader: inout ByteReader) {
        var attempt = reader
        guard let type = attempt.integer(UInt8.self), let flags = attempt.integer(UInt8.self),
            let length = attempt.integer(UInt16.self), let body = attempt.take(Int(length) - 4),
            let padding = attempt.take((4 - body.count % 4) % 4), padding.allSatisfy({ $0 == 0 })
        else { return nil }
        self.init(type: type, flags: flags, body: body)
        reader = attempt
    }
}

package struct SCTPPacket: Equatable, Sendable {
    package static let transport: UInt8 = 132

    package enum Checksum: Equatable, Sendable {
        case computed
        /// Zero, also what Linux leaves to the device to fill.
        case absent
        case value(UInt32)
    }

    package var sourcePort: UInt16
    package var destinationPort: UInt16
    package var tag: UInt32
    package var chunks: [SCTPChunk]
    /// What follows the last whole chunk.
    package var rest: [UInt8] = []
    package var checksum = Checksum.computed

    package init(from source: UInt16, to destination: UInt16, tag: UInt32 = 0, _ chunks: [SCTPChunk] = []) {
        sourcePort = source
        destinationPort = destination
        self.tag = tag
        self.chunks = chunks
    }

    package var bytes: [UInt8] {
        var bytes = sourcePort.networkOrder + destinationPort.networkOrder + tag.networkOrder + [0, 0, 0, 0]
        bytes += chunks.flatMap(\.bytes) + rest
        let stored: UInt32 =
            switch checksum {
            case .computed: Self.checksum(bytes)
            case .absent: 0
            case .value(let value): value
            }
        bytes.replaceSubrange(8..<12, with: stored.networkOrder)
        return bytes
    }

    /// Nil if there is no whole common header.
    init?(parsing bytes: [UInt8]) {
        guard bytes.count >= 12 else { return nil }
        self.init(from: bytes.integer(at: 0), to: bytes.integer(at: 2), tag: bytes.integer(at: 4))
        var reader = ByteReader(bytes[12...])
        while let chunk = SCTPChunk(reading: &reader) { chunks.append(chunk) }
        rest = reader.takeRest()
        let stored: UInt32 = bytes.integer(at: 8)
        let computed = Self.checksum(Array(bytes[..<8]) + [0, 0, 0, 0] + bytes[12...])
        checksum = stored == computed ? .computed : stored == 0 ? .absent : .value(stored)
    }

    /// As it stands in the packet: CRC32c goes out least significant byte first (RFC 9260, appendix A).
    private static func checksum(_ bytes: [UInt8]) -> UInt32 {
        CRC32C.checksum(bytes).byteSwapped
    }
}
