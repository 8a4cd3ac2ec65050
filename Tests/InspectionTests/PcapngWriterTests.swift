// The bytes of a pcapng file, block by block. That other programs read it is tested where packets are captured.

import Inspection
import Testing

@Suite("Pcapng files")
struct PcapngWriterTests {
    private static let ethernet = PcapngWriter.Interface(name: "eth0 xdp", description: "d", hasLinkHeader: true)
    private static let bare = PcapngWriter.Interface(name: "tun0", description: "", hasLinkHeader: false)

    private static func packet(_ bytes: [UInt8], comment: String = "abc") -> PcapngWriter.Packet {
        PcapngWriter.Packet(
            time_ns: 0x0102_0304_0506_0708, bytes: bytes, frameBytes: 60, direction: .outbound, comment: comment)
    }

    /// Type and body of each block; the lengths on both ends must agree and be whole words.
    private static func blocks(_ file: [UInt8]) throws -> [(type: UInt32, body: [UInt8])] {
        func word(_ place: Int) throws -> UInt32 {
            try #require(place + 4 <= file.count)
            return (0..<4).reduce(0) { $0 | UInt32(file[place + $1]) << UInt32(8 * $1) }
        }
        var blocks: [(UInt32, [UInt8])] = []
        var place = 0
        while place < file.count {
            let length = Int(try word(place + 4))
            try #require(length % 4 == 0 && length >= 12)
            try #require(try word(place + length - 4) == UInt32(length))
            blocks.append((try word(place), Array(file[(place + 8)..<(place + length - 4)])))
            place += length
        }
        return blocks
    }

    @Test("begin with a section of unknown length in little-endian order")
    func section() throws {
        let block = try #require(try Self.blocks(PcapngWriter.header(application: "martlet")).first)
        #expect(block.type == 0x0a0d_0d0a)
        #expect(Array(block.body.prefix(8)) == [0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0])
        #expect(block.body[8..<16].allSatisfy { $0 == 0xff })
        #expect(Array(block.body[16...]) == [4, 0, 7, 0] + Array("martlet".utf8) + [0] + [0, 0, 0, 0])
    }

    @Test("describe an interface once, before its first packet, and number interfaces as they come")
    func interfaces() throws {
        var writer = PcapngWriter(snapBytes: 96)
        var file = writer.text(of: Self.packet([1]), at: Self.ethernet)
        file += writer.text(of: Self.packet([2]), at: Self.bare)
        file += writer.text(of: Self.packet([3]), at: Self.ethernet)
        let blocks = try Self.blocks(file)
        #expect(blocks.map(\.type) == [1, 6, 1, 6, 6])
        #expect(Array(blocks[0].body.prefix(8)) == [1, 0, 0, 0, 96, 0, 0, 0])
        #expect(blocks[2].body[0] == 101)
        #expect([1, 3, 4].map { blocks[$0].body[0] } == [0, 1, 0])
    }

    @Test("have packets padded to words, with time, lengths, comment and direction")
    func packets() throws {
        var writer = PcapngWriter(snapBytes: 96)
        let block = try #require(
            try Self.blocks(writer.text(of: Self.packet([9, 8, 7, 6, 5]), at: Self.ethernet)).last)
        #expect(
            block.body == [0, 0, 0, 0] + [4, 3, 2, 1, 8, 7, 6, 5] + [5, 0, 0, 0, 60, 0, 0, 0]
                + [9, 8, 7, 6, 5, 0, 0, 0] + [1, 0, 3, 0] + Array("abc".utf8) + [0]
                + [2, 0, 4, 0, 2, 0, 0, 0] + [0, 0, 0, 0])
    }

    @Test("have a comment of any length and content without losing their shape")
    func comments() throws {
        for comment in ["", "é", String(repeating: "x", count: 70_000)] {
            var writer = PcapngWriter(snapBytes: 96)
            let blocks = try Self.blocks(writer.text(of: Self.packet([], comment: comment), at: Self.ethernet))
            #expect(blocks.map(\.type) == [1, 6])
        }
    }
}
