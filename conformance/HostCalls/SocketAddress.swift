// An address and port as text and number: what requests name, what replies report. Conversion to the kernel's form
// happens here, at the call; no other file sees a sockaddr.

internal import CHostCalls
internal import Glibc

/// An IPv4 or IPv6 address with a port.
package struct SocketAddress: Hashable, Codable, Sendable, CustomStringConvertible {
    /// As inet_ntop writes it; an IPv4-mapped address keeps its "::ffff:" prefix.
    package var address: String
    /// Host byte order.
    package var port: UInt16

    package init(_ address: String, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    /// The same address with an IPv4-mapped one written as plain IPv4.
    package var unmapped: SocketAddress {
        let prefix = "::ffff:"
        guard address.hasPrefix(prefix), address.contains(".") else { return self }
        return SocketAddress(String(address.dropFirst(prefix.count)), port)
    }

    /// "10.0.0.1:80" or "[fd00::1]:80".
    package var description: String {
        address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
    }

    /// The 16 bytes of an IPv6 address as 32 hexadecimal digits, as proc files write them; nil for anything else.
    package var hexadecimalV6: String? {
        guard let raw = try? RawAddress(self, .v6) else { return nil }
        let digits = Array("0123456789abcdef")
        return unsafe withUnsafeBytes(of: raw.storage) { storage in
            // sockaddr_in6 has the address after family, port and flow label.
            unsafe String(storage[8..<24].flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
        }
    }

    /// The family that the text asks for: v6 when it has a colon.
    package var family: AddressFamily {
        address.contains(":") ? .v6 : .v4
    }
}

/// Which socket to open and how to write its addresses.
package enum AddressFamily: String, Codable, Sendable, CaseIterable {
    case v4 = "4"
    case v6 = "6"
    /// An IPv6 socket that speaks IPv4 through ::ffff:a.b.c.d.
    case mapped

    var domain: Int32 {
        switch self {
        case .v4: AF_INET
        case .v6, .mapped: AF_INET6
        }
    }

    var code: Int32 {
        switch self {
        case .v4: Int32(HOST_FAMILY_V4.rawValue)
        case .v6: Int32(HOST_FAMILY_V6.rawValue)
        case .mapped: Int32(HOST_FAMILY_MAPPED.rawValue)
        }
    }
}

/// The kernel's form of an address, and its length in bytes.
struct RawAddress {
    var storage = sockaddr_storage()
    var length: socklen_t = 0

    /// No address: family 0.
    init() {}

    /// Throws EINVAL when the text is no address of the family.
    init(_ address: SocketAddress, _ family: AddressFamily) throws(CallFailure) {
        length = unsafe host_address_parse(address.address, address.port, family.code, &storage)
        if length == 0 { throw CallFailure("inet_pton", "\(address) as family \(family.rawValue)", errno: EINVAL) }
    }

    /// The text form, or nil when this is no IP address.
    var decoded: SocketAddress? {
        var port: UInt16 = 0
        var copy = storage
        var text = [CChar](repeating: 0, count: 64)
        guard unsafe host_address_text(&copy, &text, text.count, &port) == 0 else { return nil }
        let bytes = text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
        return SocketAddress(String(decoding: bytes, as: UTF8.self), port)
    }

    /// Whether the storage holds any address.
    var isPresent: Bool { storage.ss_family != 0 }
}
