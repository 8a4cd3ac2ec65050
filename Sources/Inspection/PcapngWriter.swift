// Packets as a pcapng file (draft-ietf-opsawg-pcapng): a section header, a block for each interface when its first packet
// comes, and a block for each packet with a comment. Bytes only; where they go is the caller's business. Everything is
// written in little-endian order, which the section header tells.

package struct PcapngWriter: Sendable {
    package struct Interface: Hashable, Sendable {
        package var name: String
        package var description: String
        /// Whether packets begin with an Ethernet header; else they begin with the IP header.
        package var hasLinkHeader: Bool

        package init(name: String, description: String, hasLinkHeader: Bool) {
            self.name = name
            self.description = description
            self.hasLinkHeader = hasLinkHeader
        }
    }

    package enum Direction: UInt32, Sendable {
        case inbound = 1
        case outbound = 2
    }

    package struct Packet: Sendable {
        /// Nanoseconds since 1970, UTC.
        package var time_ns: UInt64
        package var bytes: [UInt8]
        /// Of the whole frame, of which `bytes` are the first.
        package var frameBytes: Int
        package var direction: Direction
        package var comment: String

        package init(time_ns: UInt64, bytes: [UInt8], frameBytes: Int, direction: Direction, comment: String) {
            self.time_ns = time_ns
            self.bytes = bytes
            self.frameBytes = frameBytes
            self.direction = direction
            self.comment = comment
        }
    }

    private let snapBytes: UInt32
    private var numbers: [Interface: UInt32] = [:]

    /// - Parameter snapBytes: the most of a packet that there will be.
    package init(snapBytes: UInt32) {
        self.snapBytes = snapBytes
    }

    private enum Block {
        static let section: UInt32 = 0x0a0d_0d0a
        static let interface: UInt32 = 1
        static let packet: UInt32 = 6
    }

    /// LINKTYPE_ETHERNET and LINKTYPE_RAW of the link-layer types that the format refers to.
    private enum LinkType {
        static let ethernet: UInt16 = 1
        static let raw: UInt16 = 101
    }

    /// The beginning of the file; before anything else.
    package static func header(application: String) -> [UInt8] {
        let magic = bytes(UInt32(0x1a2b_3c4d))
        let version = bytes(UInt16(1)) + bytes(UInt16(0))
        let unknownLength = bytes(UInt64.max)
        return block(Block.section, magic + version + unknownLength, [(4, Array(application.utf8))])
    }

    /// One packet, after the block of its interface where that is new.
    package mutating func text(of packet: Packet, at interface: Interface) -> [UInt8] {
        var result: [UInt8] = []
        let number: UInt32
        if let known = numbers[interface] {
            number = known
        } else {
            number = UInt32(numbers.count)
            numbers[interface] = number
            result = blockOf(interface)
        }
        var body = Self.bytes(number)
        body += Self.bytes(UInt32(truncatingIfNeeded: packet.time_ns >> 32))
        body += Self.bytes(UInt32(truncatingIfNeeded: packet.time_ns))
        body += Self.bytes(UInt32(packet.bytes.count)) + Self.bytes(UInt32(packet.frameBytes))
        body += Self.padded(packet.bytes)
        let options: [(UInt16, [UInt8])] = [
            (1, Array(packet.comment.utf8)), (2, Self.bytes(packet.direction.rawValue)),
        ]
        return result + Self.block(Block.packet, body, options)
    }

    private func blockOf(_ interface: Interface) -> [UInt8] {
        let type = interface.hasLinkHeader ? LinkType.ethernet : LinkType.raw
        let nanoseconds: UInt8 = 9
        return Self.block(
            Block.interface, Self.bytes(type) + Self.bytes(UInt16(0)) + Self.bytes(snapBytes),
            [(2, Array(interface.name.utf8)), (3, Array(interface.description.utf8)), (9, [nanoseconds])])
    }

    /// A block with its length on both ends. Options are numbers with values, and an end.
    private static func block(_ type: UInt32, _ body: [UInt8], _ options: [(UInt16, [UInt8])]) -> [UInt8] {
        var content = body
        for (code, value) in options {
            let value = value.prefix(Int(UInt16.max))
            content += bytes(code) + bytes(UInt16(value.count)) + padded(Array(value))
        }
        content += bytes(UInt32(0))
        let length = bytes(UInt32(content.count + 12))
        return bytes(type) + length + content + length
    }

    private static func padded(_ bytes: [UInt8]) -> [UInt8] {
        bytes + Array(repeating: 0, count: (4 - bytes.count % 4) % 4)
    }

    private static func bytes<Number: FixedWidthInteger & UnsignedInteger>(_ number: Number) -> [UInt8] {
        (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> Number($0 * 8)) }
    }
}
