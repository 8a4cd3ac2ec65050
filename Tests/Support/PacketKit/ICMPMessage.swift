// An ICMPv4 or ICMPv6 message (RFC 792, RFC 4443): echo, an error that quotes a packet, or other bytes.

import NetworkTypes

package struct ICMPMessage: Equatable, Sendable {
    package enum Body: Equatable, Sendable {
        case echo(identifier: UInt16, sequence: UInt16, payload: [UInt8])
        /// An error: its second word (unused, or the MTU in the low bits, or a pointer), and the packet it is about,
        /// as much of it as is there.
        indirect case error(word: UInt32, about: Packet)
        /// What follows the checksum.
        case other([UInt8])
    }

    package var type: UInt8
    package var code: UInt8
    package var body: Body
    package var checksum = Checksum.computed

    package init(type: UInt8, code: UInt8 = 0, _ body: Body) {
        self.type = type
        self.code = code
        self.body = body
    }

    static func transport(in family: AddressFamily) -> UInt8 {
        switch family {
        case .ipv4: 1
        case .ipv6: 58
        }
    }

    package func bytes(in header: IPHeader) -> [UInt8] {
        var bytes: [UInt8] = [type, code, 0, 0]
        switch body {
        case .echo(let identifier, let sequence, let payload):
            bytes += identifier.networkOrder + sequence.networkOrder + payload
        case .error(let word, let packet):
            bytes += word.networkOrder + packet.bytes
        case .other(let rest):
            bytes += rest
        }
        Self.rule(in: header).fill(&bytes, with: checksum)
        return bytes
    }

    /// Nil if there are not even type, code and checksum.
    init?(parsing bytes: [UInt8], in header: IPHeader, depth: Int) {
        guard bytes.count >= 4 else { return nil }
        self.init(type: bytes[0], code: bytes[1], .other(Array(bytes[4...])))
        checksum = Self.rule(in: header).read(bytes)
        guard bytes.count >= 8 else { return }
        if Self.isEcho(type, header.family) {
            body = .echo(identifier: bytes.integer(at: 4), sequence: bytes.integer(at: 6), payload: Array(bytes[8...]))
        } else if Self.isError(type, header.family),
            let packet = try? Packet(parsing: Array(bytes[8...]), depth: depth + 1)
        {
            body = .error(word: bytes.integer(at: 4), about: packet)
        }
    }

    private static func isEcho(_ type: UInt8, _ family: AddressFamily) -> Bool {
        switch family {
        case .ipv4: type == 0 || type == 8
        case .ipv6: type == 128 || type == 129
        }
    }

    /// Unreachable, source quench, redirect, time exceeded, parameter problem; in ICMPv6 whatever is below 128.
    static func isError(_ type: UInt8, _ family: AddressFamily) -> Bool {
        switch family {
        case .ipv4: [3, 4, 5, 11, 12].contains(type)
        case .ipv6: (1..<128).contains(type)
        }
    }

    private static func rule(in header: IPHeader) -> ChecksumRule {
        switch header {
        case .ipv4: ChecksumRule(offset: 2)
        case .ipv6: ChecksumRule(offset: 2, pseudoHeader: header.pseudoHeader(58))
        }
    }
}
