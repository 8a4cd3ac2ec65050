// An extension header of IPv6 (RFC 8200, 4): hop-by-hop options, routing, fragment or destination options. Which header
// follows is seen from what follows.

package import NetworkTypes

package struct IPv6Extension: Equatable, Sendable {
    package enum Kind: UInt8, Sendable, CaseIterable {
        case hopByHop = 0
        case routing = 43
        case fragment = 44
        case destination = 60
    }

    package var kind: Kind
    /// What follows the first two bytes; padded with zeros so that the header has a multiple of 8 bytes.
    package var body: [UInt8]
    /// The second byte, if it is to be a wrong one: the length in units of 8 bytes without the first 8; zero in
    /// fragment headers.
    package var length: UInt8?

    package init(_ kind: Kind, body: [UInt8], length: UInt8? = nil) {
        self.kind = kind
        self.body = body + [UInt8](repeating: 0, count: (8 - (body.count + 2) % 8) % 8)
        self.length = length
    }

    /// PadN of four bytes is the least that fills a header.
    package static let padding: [UInt8] = [1, 4, 0, 0, 0, 0]

    package static func hopByHop(_ options: [UInt8] = padding, length: UInt8? = nil) -> Self {
        Self(.hopByHop, body: options, length: length)
    }

    package static func destination(_ options: [UInt8] = padding, length: UInt8? = nil) -> Self {
        Self(.destination, body: options, length: length)
    }

    /// A list of addresses after four reserved bytes, as in types 0, 2 and (with other fields) 4.
    package static func routing(
        type: UInt8 = 0, segmentsLeft: UInt8 = 0, via addresses: [IPAddress] = [], length: UInt8? = nil
    ) -> Self {
        Self(.routing, body: [type, segmentsLeft, 0, 0, 0, 0] + addresses.flatMap(\.bytes), length: length)
    }

    /// - Parameter offset: in units of 8 bytes, 13 bits.
    package static func fragment(offset: UInt16 = 0, more: Bool = false, identification: UInt32) -> Self {
        Self(.fragment, body: (offset << 3 | (more ? 1 : 0)).networkOrder + identification.networkOrder)
    }

    /// In units of 8 bytes; zero in other headers.
    package var fragmentOffset: UInt16 { kind == .fragment ? body.integer(at: 0) >> 3 : 0 }
    package var moreFragments: Bool { kind == .fragment && body[1] & 1 == 1 }
    package var fragmentIdentification: UInt32? { kind == .fragment ? body.integer(at: 2) : nil }

    /// Where a packet on its way along a source route ends up, which is what transports checksum (RFC 8200, 8.1).
    var finalDestination: IPAddress? {
        guard kind == .routing, body[1] > 0, body.count >= 22 else { return nil }
        switch body[0] {
        case 0: return IPAddress(bytes: body.suffix(16))
        case 2, 4: return IPAddress(bytes: body[6..<22])
        default: return nil
        }
    }

    private var honestLength: UInt8 {
        kind == .fragment ? 0 : UInt8(truncatingIfNeeded: (body.count + 2) / 8 - 1)
    }

    func bytes(next: UInt8) -> [UInt8] { [next, length ?? honestLength] + body }

    /// Reads the header and the number of the next one; nil, and nothing consumed, if it does not fit.
    static func read(_ kind: Kind, from reader: inout ByteReader) -> (Self, next: UInt8)? {
        var attempt = reader
        guard let next = attempt.integer(UInt8.self), let length = attempt.integer(UInt8.self),
            let body = attempt.take(kind == .fragment ? 6 : Int(length) * 8 + 6)
        else { return nil }
        reader = attempt
        var header = Self(kind, body: body)
        if length != header.honestLength { header.length = length }
        return (header, next)
    }
}
