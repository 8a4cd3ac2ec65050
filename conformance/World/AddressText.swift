// Addresses as scenarios write them: "10.0.1.2" or "192.168.50.1/24".

/// An IPv4 or IPv6 address with a prefix length.
struct AddressText: Hashable, Sendable {
    let address: String
    let prefixLength: Int

    var isV6: Bool { address.contains(":") }
    /// "ADDRESS/LENGTH"; "nodad" is for the caller to add, see `assignment`.
    var text: String { "\(address)/\(prefixLength)" }
    /// The address alone, as a route's destination.
    var host: String { "\(address)/\(isV6 ? 128 : 32)" }

    /// Reads "ADDRESS" or "ADDRESS/LENGTH"; the defaults apply to the former.
    init(_ text: String, defaultV4: Int = 32, defaultV6: Int = 128) throws(WorldError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let first = parts.first, parts.count <= 2, Self.isPlausible(first) else { throw .badAddress(text) }
        let isV6 = first.contains(":")
        address = first
        guard parts.count == 2 else {
            prefixLength = isV6 ? defaultV6 : defaultV4
            return
        }
        guard let length = Int(parts[1]), (0...(isV6 ? 128 : 32)).contains(length) else { throw .badAddress(text) }
        prefixLength = length
    }

    /// The command of ip(8) that gives the address to an interface, ready for use at once.
    func assignment(to interface: String) -> String {
        "addr add \(text) dev \(interface)" + (isV6 ? " nodad" : "")
    }

    /// Whether the characters are those of an address; ip(8) judges the rest.
    private static func isPlausible(_ text: String) -> Bool {
        guard text.contains(":") || text.contains(".") else { return false }
        return text.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
    }
}
