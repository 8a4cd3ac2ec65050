// Either IP header, and what both have.

package import NetworkTypes

package enum IPHeader: Equatable, Sendable {
    case ipv4(IPv4Header)
    case ipv6(IPv6Header)

    package var family: AddressFamily {
        switch self {
        case .ipv4: .ipv4
        case .ipv6: .ipv6
        }
    }

    /// A fragment other than the first: it does not start with a transport header.
    package var isLaterFragment: Bool {
        switch self {
        case .ipv4(let header): header.fragmentOffset > 0
        case .ipv6(let header): header.isLaterFragment
        }
    }

    /// Any fragment of several.
    package var isFragment: Bool {
        switch self {
        case .ipv4(let header): header.fragmentOffset > 0 || header.moreFragments
        case .ipv6(let header): header.isLaterFragment || header.extensions.contains(where: \.moreFragments)
        }
    }

    /// With options and extension headers.
    package var byteCount: Int {
        switch self {
        case .ipv4(let header): header.byteCount
        case .ipv6(let header): 40 + header.extensions.reduce(0) { $0 + 2 + $1.body.count }
        }
    }

    func bytes(transport: UInt8, contentCount: Int) -> [UInt8] {
        switch self {
        case .ipv4(let header): header.bytes(transport: transport, contentCount: contentCount)
        case .ipv6(let header): header.bytes(transport: transport, contentCount: contentCount)
        }
    }

    func pseudoHeader(_ transport: UInt8) -> PseudoHeader {
        switch self {
        case .ipv4(let header):
            PseudoHeader(
                source: header.source.ipv4Bytes, destination: header.destination.ipv4Bytes, transport: transport)
        case .ipv6(let header):
            PseudoHeader(
                source: header.source.bytes,
                destination: (header.extensions.compactMap(\.finalDestination).last ?? header.destination).bytes,
                transport: transport)
        }
    }
}
