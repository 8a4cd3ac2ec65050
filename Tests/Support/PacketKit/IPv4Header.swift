// The IPv4 header (RFC 791). Lengths and the checksum are right unless they are set.

package import NetworkTypes

package struct IPv4Header: Equatable, Sendable {
    package var source: IPAddress
    package var destination: IPAddress
    /// TTL.
    package var hops: UInt8
    /// DSCP and ECN.
    package var trafficClass: UInt8
    package var identification: UInt16
    package var reservedBit = false
    package var dontFragment: Bool
    package var moreFragments: Bool
    /// In units of 8 bytes, 13 bits.
    package var fragmentOffset: UInt16
    /// Whole options; padded with zeros to a multiple of four.
    package var options: [UInt8] {
        didSet { options = options.padded(toMultipleOf: 4) }
    }
    /// The header's length in units of 4 bytes, if it is to be a wrong one; IHL.
    package var headerLength: UInt8?
    /// Of the header and what follows, if it is to contradict what is there.
    package var totalLength: UInt16?
    /// Of the header, if it is to be a wrong one.
    package var checksum: UInt16?

    package init(
        from source: IPAddress, to destination: IPAddress, hops: UInt8 = 64, trafficClass: UInt8 = 0,
        identification: UInt16 = 0, dontFragment: Bool = true, moreFragments: Bool = false, fragmentOffset: UInt16 = 0,
        options: [UInt8] = []
    ) {
        self.source = source
        self.destination = destination
        self.hops = hops
        self.trafficClass = trafficClass
        self.identification = identification
        self.dontFragment = dontFragment
        self.moreFragments = moreFragments
        self.fragmentOffset = fragmentOffset
        self.options = options.padded(toMultipleOf: 4)
    }

    /// With everything in it.
    var byteCount: Int { 20 + options.count }

    func bytes(transport: UInt8, contentCount: Int) -> [UInt8] {
        var bytes: [UInt8] = [0x40 | (headerLength ?? UInt8(byteCount / 4)) & 15, trafficClass]
        bytes.append(totalLength ?? UInt16(truncatingIfNeeded: byteCount + contentCount))
        bytes.append(identification)
        let flags: UInt16 = (reservedBit ? 0x8000 : 0) | (dontFragment ? 0x4000 : 0) | (moreFragments ? 0x2000 : 0)
        bytes.append(flags | fragmentOffset & 0x1fff)
        bytes += [hops, transport, 0, 0] + source.ipv4Bytes + destination.ipv4Bytes + options
        bytes.set(checksum ?? InternetChecksum.checksum(bytes), at: 10)
        return bytes
    }

    /// The header at the front, the number of the protocol in it, and the bytes that it says to be its own; all the
    /// bytes that there are if its length says something impossible.
    static func read(_ bytes: [UInt8]) throws(UnreadablePacket) -> (Self, transport: UInt8, extent: Range<Int>) {
        guard bytes.count >= 20 else {
            throw UnreadablePacket(reason: "\(bytes.count) bytes end in the IPv4 header", bytes: bytes)
        }
        let own = Int(bytes[0] & 15) * 4
        guard own >= 20, own <= bytes.count else {
            throw UnreadablePacket(reason: "an IPv4 header of \(own) bytes in \(bytes.count)", bytes: bytes)
        }
        let fragment: UInt16 = bytes.integer(at: 6)
        var header = IPv4Header(
            from: IPAddress(ipv4: bytes.integer(at: 12)), to: IPAddress(ipv4: bytes.integer(at: 16)), hops: bytes[8],
            trafficClass: bytes[1], identification: bytes.integer(at: 4), dontFragment: fragment & 0x4000 != 0,
            moreFragments: fragment & 0x2000 != 0, fragmentOffset: fragment & 0x1fff,
            options: Array(bytes[20..<own]))
        header.reservedBit = fragment & 0x8000 != 0
        var cleared = Array(bytes[..<own])
        cleared.set(0, at: 10)
        let checksum: UInt16 = bytes.integer(at: 10)
        if checksum != InternetChecksum.checksum(cleared) { header.checksum = checksum }
        let total = bytes.integer(at: 2, as: UInt16.self)
        guard Int(total) >= own, Int(total) <= bytes.count else {
            header.totalLength = total
            return (header, bytes[9], own..<bytes.count)
        }
        return (header, bytes[9], own..<Int(total))
    }
}
