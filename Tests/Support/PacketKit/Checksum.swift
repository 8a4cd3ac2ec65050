// What stands in a checksum field: the right value, or how it is wrong.

/// The checksum of TCP, UDP and ICMP.
package enum Checksum: Equatable, Sendable {
    /// The right one for the bytes that are there.
    case computed
    /// Zero: in UDP over IPv4, "no checksum".
    case absent
    /// The sum of the pseudo-header only, as in Linux's packets with CHECKSUM_PARTIAL.
    case unfinished
    /// This one, which is not the right one for the bytes that are there: wrong, or over bytes that were cut off.
    case value(UInt16)

    init(stored: UInt16, computed: UInt16, unfinished: UInt16) {
        switch stored {
        case computed: self = .computed
        case 0: self = .absent
        case unfinished: self = .unfinished
        default: self = .value(stored)
        }
    }

    func stored(computed: UInt16, unfinished: UInt16) -> UInt16 {
        switch self {
        case .computed: computed
        case .absent: 0
        case .unfinished: unfinished
        case .value(let value): value
        }
    }
}

/// Where and how a transport's checksum is computed; the same for building and parsing.
struct ChecksumRule {
    /// Of the field in the transport header.
    var offset: Int
    /// Nil for ICMPv4, which covers itself only.
    var pseudoHeader: PseudoHeader?
    /// UDP writes a computed zero as 0xffff (RFC 768).
    var avoidsZero = false

    /// Fills the field, which must be zero so far.
    func fill(_ bytes: inout [UInt8], with checksum: Checksum) {
        bytes.set(checksum.stored(computed: computed(bytes), unfinished: unfinished(bytes)), at: offset)
    }

    func read(_ bytes: [UInt8]) -> Checksum {
        var cleared = bytes
        cleared.set(0, at: offset)
        return Checksum(
            stored: bytes.integer(at: offset), computed: computed(cleared), unfinished: unfinished(cleared))
    }

    private func unfinished(_ bytes: [UInt8]) -> UInt16 {
        pseudoHeader?.sum(length: bytes.count) ?? 0
    }

    private func computed(_ bytes: [UInt8]) -> UInt16 {
        let checksum = InternetChecksum.checksum(bytes, from: unfinished(bytes))
        return avoidsZero && checksum == 0 ? 0xffff : checksum
    }
}
