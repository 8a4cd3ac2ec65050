// An address with a port, the form in which backends and frontends are named to people: 10.0.1.2:8080, [fd00::1]:80.

package struct AddressAndPort: Hashable, Sendable {
    package var address: IPAddress
    /// Host order.
    package var port: UInt16

    package init(address: IPAddress, port: UInt16) {
        self.address = address
        self.port = port
    }

    /// Reads `10.0.1.2:8080` or `[fd00::1]:80`. Returns nil for anything else, also for a missing port.
    package init?(_ text: some StringProtocol) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.first != UInt8(ascii: "+"), let port = UInt16(digits) else { return nil }
        var host = text[..<colon]
        let bracketed = host.hasPrefix("[") && host.hasSuffix("]")
        if bracketed { host = host.dropFirst().dropLast() }
        guard let address = IPAddress(host), bracketed == host.contains(":") else { return nil }
        self.init(address: address, port: port)
    }
}

extension AddressAndPort: Comparable {
    /// By address, then port: the order of a backend set (docs/datapath.md).
    package static func < (left: Self, right: Self) -> Bool {
        left.address == right.address ? left.port < right.port : left.address < right.address
    }
}

extension AddressAndPort: CustomStringConvertible {
    package var description: String {
        switch address.family {
        case .ipv4: "\(address):\(port)"
        case .ipv6: "[\(address)]:\(port)"
        }
    }
}
