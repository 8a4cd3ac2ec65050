// The Internet checksum (RFC 1071) and the pseudo-headers of IPv4 (RFC 9293, 3.1) and IPv6 (RFC 8200, 8.1).

package enum InternetChecksum {
    /// The one's complement sum, folded to 16 bits and *not* complemented. An odd byte at the end counts as high.
    package static func sum(_ bytes: [UInt8], from start: UInt16 = 0) -> UInt16 {
        var total = UInt64(start)
        var index = 0
        // Without iterators, which take most of the time in unoptimised builds.
        while index + 1 < bytes.count {
            total += UInt64(bytes[index]) << 8 | UInt64(bytes[index + 1])
            index += 2
        }
        if index < bytes.count { total += UInt64(bytes[index]) << 8 }
        while total > 0xffff { total = total >> 16 + total & 0xffff }
        return UInt16(total)
    }

    package static func checksum(_ bytes: [UInt8], from start: UInt16 = 0) -> UInt16 {
        ~sum(bytes, from: start)
    }
}

/// What transports add to their checksum of the network header, without the length.
struct PseudoHeader {
    var source: [UInt8]
    var destination: [UInt8]
    var transport: UInt8

    /// Not complemented: what Linux leaves in the checksum field of packets whose checksum the device shall finish.
    func sum(length: Int) -> UInt16 {
        InternetChecksum.sum(source + destination + UInt32(length).networkOrder + [0, 0, 0, transport])
    }
}
