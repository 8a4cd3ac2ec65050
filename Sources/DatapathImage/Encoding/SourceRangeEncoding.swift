// Key and value of `source_ranges` (bpf/abi/frontends.h): whom the load-balancer frontends of a service port admit.

package import CDatapathABI
package import NetworkTypes

/// Key of `source_ranges`.
package typealias SourceRangeKey = ABIRecord<dp_source_range>

extension SourceRangeKey {
    /// Bits of the key in front of the address.
    private static let idBits: UInt32 = 32

    package init(_ range: CIDR, serviceID: UInt32) {
        self.init(
            dp_source_range(
                length: Self.idBits + UInt32(range.mappedPrefixLength), service_id: serviceID,
                client: dp_address(range.address)))
    }

    package var serviceID: UInt32 { fields.service_id }

    /// Nil if the length is not one of the address's family.
    package var range: CIDR? {
        let address = fields.client.ipAddress
        return CIDR(
            address: address, prefixLength: Int(fields.length) - Int(Self.idBits) - 128 + address.family.bitWidth)
    }

    /// Whom the range is for. A prefix too short for IPv4-mapped addresses is IPv6, whatever its bits are.
    package var family: AddressFamily { range == nil ? .ipv6 : fields.client.ipAddress.family }

    /// Whether a look-up for an IPv4 address may find it although it is a range of IPv6.
    var coversMappedAddresses: Bool {
        family == .ipv6 && (range?.contains(bits: CIDR.everything(of: .ipv4).address) ?? true)
    }

    /// The order of writing: longer prefixes come first, then by service and address. Removals go the other way round.
    /// Then every source meets what it met before, or what it will meet, and nothing else on the way: its longest new
    /// prefix is there before any shorter one, and its longest old one is the last to go.
    package static func narrowerFirst(_ left: Self, _ right: Self) -> Bool {
        left.fields.length == right.fields.length
            ? bytesPrecede(left, right) : left.fields.length > right.fields.length
    }

    package static func widerFirst(_ left: Self, _ right: Self) -> Bool { narrowerFirst(right, left) }
}

extension CIDR {
    /// Whether the address is inside bit by bit, whatever its family.
    fileprivate func contains(bits other: IPAddress) -> Bool {
        let length = UInt64(mappedPrefixLength)
        let highMask = length >= 64 ? UInt64.max : ~(UInt64.max >> length)
        let lowMask = length <= 64 ? 0 : ~(length == 128 ? 0 : UInt64.max >> (length - 64))
        return other.high & highMask == address.high && other.low & lowMask == address.low
    }
}

/// Value of `source_ranges`, enum dp_admission, or a number that is none.
package struct SourceAdmission: RawRepresentable, Hashable, Sendable {
    package var rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let deny = SourceAdmission(rawValue: UInt8(DP_ADMISSION_DENY.rawValue))
    package static let allow = SourceAdmission(rawValue: UInt8(DP_ADMISSION_ALLOW.rawValue))
}

extension SourceAdmission: CustomStringConvertible {
    package var description: String {
        switch self {
        case .deny: "deny"
        case .allow: "allow"
        default: "admission \(rawValue)"
        }
    }
}

extension FrontendRecord {
    /// Whether packets are admitted by `source_ranges` only.
    package var hasSourceRanges: Bool { UInt32(fields.flags) & DP_FRONTEND_SOURCE_RANGES.rawValue != 0 }
}
