// One IP address of either family as a 128-bit value, IPv4 as IPv4-mapped IPv6 (RFC 4291, 2.5.5.2), just as the maps
// hold it. Text is in IPAddress+Text.swift. An IPv4-mapped IPv6 address *is* the IPv4 address, as in Kubernetes.

package struct IPAddress: Hashable, Sendable {
    /// The 128 bits as two host-order integers, most significant first.
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An IPv4 address from its 32 bits in host order: 10.0.0.1 is 0x0a00_0001.
    package init(ipv4 bits: UInt32) {
        self.init(high: 0, low: Self.mappedPrefix | UInt64(bits))
    }

    /// An address from its 16 bytes in network order; nil if there are not 16 of them.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            if index < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
        }
        self.init(high: high, low: low)
    }

    private static let mappedPrefix: UInt64 = 0x0000_ffff_0000_0000

    package var family: AddressFamily {
        high == 0 && low & 0xffff_ffff_0000_0000 == Self.mappedPrefix ? .ipv4 : .ipv6
    }

    /// The 32 bits of an IPv4 address in host order; nil for IPv6.
    package var ipv4Bits: UInt32? {
        family == .ipv4 ? UInt32(truncatingIfNeeded: low) : nil
    }

    /// The 16 bytes in network order, IPv4 as IPv4-mapped.
    package var bytes: [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: high >> (56 - 8 * $0)) }
            + (0..<8).map { UInt8(truncatingIfNeeded: low >> (56 - 8 * $0)) }
    }

    /// 127.0.0.0/8 or ::1.
    package var isLoopback: Bool {
        if let bits = ipv4Bits { return bits >> 24 == 127 }
        return high == 0 && low == 1
    }

    /// 0.0.0.0 or ::.
    package static func unspecified(_ family: AddressFamily) -> IPAddress {
        switch family {
        case .ipv4: IPAddress(ipv4: 0)
        case .ipv6: IPAddress(high: 0, low: 0)
        }
    }

    /// 0.0.0.0 or ::.
    package var isUnspecified: Bool {
        ipv4Bits == 0 || (high == 0 && low == 0)
    }

    /// 169.254.0.0/16 or fe80::/10: valid on one link only.
    package var isLinkLocal: Bool {
        if let bits = ipv4Bits { return bits >> 16 == 0xa9fe }
        return high >> 54 == 0x3fa
    }

    /// 224.0.0.0/4 or ff00::/8.
    package var isMulticast: Bool {
        if let bits = ipv4Bits { return bits >> 28 == 0xe }
        return high >> 56 == 0xff
    }

    /// 255.255.255.255.
    package var isBroadcast: Bool { ipv4Bits == .max }

    /// Something that a host can have, if only for itself: not the unspecified address, multicast or broadcast.
    package var isHost: Bool { !isUnspecified && !isMulticast && !isBroadcast }
}

extension IPAddress: Comparable {
    /// Numeric order of the 128 bits; all IPv4 addresses come before every global IPv6 address.
    package static func < (left: Self, right: Self) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}
