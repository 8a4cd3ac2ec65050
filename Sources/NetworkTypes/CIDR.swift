// An address prefix. Host bits are masked away on creation, as kube-proxy does (LBSR-7).

package struct CIDR: Hashable, Sendable {
    /// The first address of the range; bits beyond the prefix are zero.
    package let address: IPAddress
    /// Length in bits, of the address's own family: 0 to 32 or 0 to 128.
    package let prefixLength: Int

    /// Returns nil if the length is not one of the family.
    package init?(address: IPAddress, prefixLength: Int) {
        guard (0...address.family.bitWidth).contains(prefixLength) else { return nil }
        self.prefixLength = prefixLength
        self.address = address.masked(to: prefixLength + 128 - address.family.bitWidth)
    }

    /// The range of exactly one address.
    package init(_ address: IPAddress) {
        self.address = address
        self.prefixLength = address.family.bitWidth
    }

    /// Reads `10.0.0.0/8` or `fd00::/64`, leading zeros tolerated in both parts (INV-1), white space not.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(parts[0]),
            parts[1].allSatisfy(\.isASCII), parts[1].allSatisfy(\.isNumber), let length = Int(parts[1])
        else { return nil }
        self.init(address: address, prefixLength: length)
    }

    package var family: AddressFamily { address.family }

    /// Length in bits of the 16-byte form: an IPv4 /24 is 120.
    package var mappedPrefixLength: Int { prefixLength + 128 - family.bitWidth }

    package func contains(_ other: IPAddress) -> Bool {
        other.family == family && other.masked(to: mappedPrefixLength) == address
    }

    /// Whether every address of `other` is inside.
    package func contains(_ other: CIDR) -> Bool {
        other.prefixLength >= prefixLength && contains(other.address)
    }
}

extension CIDR: CustomStringConvertible {
    package var description: String { "\(address)/\(prefixLength)" }
}

extension IPAddress {
    /// The address with all but its first `length` of 128 bits cleared.
    fileprivate func masked(to length: Int) -> IPAddress {
        let highMask = length >= 64 ? UInt64.max : ~(UInt64.max >> UInt64(length))
        let lowMask = length <= 64 ? 0 : ~(length == 128 ? 0 : UInt64.max >> UInt64(length - 64))
        return IPAddress(high: high & highMask, low: low & lowMask)
    }
}
