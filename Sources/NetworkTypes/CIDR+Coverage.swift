// The order of ranges, and whether several ranges together cover another one. Two halves cover the whole although
// neither contains it (LBSR-6).

extension CIDR: Comparable {
    /// By first address, then the wider range first.
    package static func < (left: Self, right: Self) -> Bool {
        (left.address, left.prefixLength) < (right.address, right.prefixLength)
    }
}

extension CIDR {
    /// Every address of the family: 0.0.0.0/0 or ::/0.
    package static func everything(of family: AddressFamily) -> CIDR {
        switch family {
        case .ipv4: CIDR(IPAddress(ipv4: 0)).widened(to: 0)
        case .ipv6: CIDR(IPAddress(high: 0, low: 0)).widened(to: 0)
        }
    }

    /// Whether this is the /0 of its family.
    package var isEverything: Bool { prefixLength == 0 }

    /// The lower and the upper half; nil for a single address.
    package var halves: (lower: CIDR, upper: CIDR)? {
        guard prefixLength < family.bitWidth else { return nil }
        let shift = UInt64(127 - mappedPrefixLength)
        let bit = IPAddress(
            high: shift >= 64 ? address.high | 1 << (shift - 64) : address.high,
            low: shift < 64 ? address.low | 1 << shift : address.low)
        guard let lower = CIDR(address: address, prefixLength: prefixLength + 1),
            let upper = CIDR(address: bit, prefixLength: prefixLength + 1)
        else { return nil }
        return (lower, upper)
    }

    private func widened(to length: Int) -> CIDR { CIDR(address: address, prefixLength: length) ?? self }
}

extension Sequence<CIDR> {
    /// Whether some range contains the address.
    package func contains(address: IPAddress) -> Bool { contains { $0.contains(address) } }

    /// Whether every address of `range` is in at least one of these. Cost: ranges times their length in bits.
    package func covers(_ range: CIDR) -> Bool {
        if contains(where: { $0.contains(range) }) { return true }
        let inside = filter { range.contains($0) }
        guard !inside.isEmpty, let halves = range.halves else { return false }
        return inside.covers(halves.lower) && inside.covers(halves.upper)
    }
}
