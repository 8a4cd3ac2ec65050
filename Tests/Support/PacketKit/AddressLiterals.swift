// Addresses as string literals, and their bytes in packets.

package import NetworkTypes

extension IPAddress: ExpressibleByStringLiteral {
    package init(stringLiteral text: String) {
        guard let address = IPAddress(text) else { preconditionFailure("\(text) is no address") }
        self = address
    }
}

extension IPAddress {
    /// The four bytes in an IPv4 header.
    var ipv4Bytes: [UInt8] {
        guard let bits = ipv4Bits else { preconditionFailure("\(self) in an IPv4 header") }
        return bits.networkOrder
    }
}
