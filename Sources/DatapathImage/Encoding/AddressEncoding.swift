// How addresses, ports and prefixes are written in bpf/abi: network order, 16 bytes, IPv4 as IPv4-mapped.

package import CDatapathABI
package import NetworkTypes

extension dp_address {
    package init(_ address: IPAddress) {
        self.init(
            words_be: (
                UInt32(truncatingIfNeeded: address.high >> 32).bigEndian,
                UInt32(truncatingIfNeeded: address.high).bigEndian,
                UInt32(truncatingIfNeeded: address.low >> 32).bigEndian,
                UInt32(truncatingIfNeeded: address.low).bigEndian
            ))
    }

    package var ipAddress: IPAddress {
        let (a, b, c, d) = words_be
        return IPAddress(
            high: UInt64(UInt32(bigEndian: a)) << 32 | UInt64(UInt32(bigEndian: b)),
            low: UInt64(UInt32(bigEndian: c)) << 32 | UInt64(UInt32(bigEndian: d)))
    }
}

/// Key of `service_cidrs`.
package typealias PrefixKey = ABIRecord<dp_prefix>

extension PrefixKey {
    package init(_ range: CIDR) {
        self.init(dp_prefix(length: UInt32(range.mappedPrefixLength), address: dp_address(range.address)))
    }

    /// Nil if the length is not one of the address's family.
    package var range: CIDR? {
        let address = fields.address.ipAddress
        let length = Int(fields.length) - 128 + address.family.bitWidth
        return CIDR(address: address, prefixLength: length)
    }
}

/// Key of `node_ports`.
package typealias NodePortKey = ABIRecord<dp_node_port_key>

extension NodePortKey {
    package init(port: UInt16, protocol protocolKind: TransportProtocol, family: AddressFamily) {
        self.init(
            dp_node_port_key(port_be: port.bigEndian, protocol: protocolKind.rawValue, family: family.rawValue))
    }

    /// The port that a frontend holds in its family.
    package init(holding key: FrontendKey) {
        self.init(
            dp_node_port_key(
                port_be: key.fields.port_be, protocol: key.fields.protocol, family: key.address.family.rawValue))
    }

    /// Host order.
    package var port: UInt16 { UInt16(bigEndian: fields.port_be) }
    /// IANA number.
    package var protocolNumber: UInt8 { fields.protocol }
    /// Nil for a number that is none.
    package var family: AddressFamily? { AddressFamily(rawValue: fields.family) }
}

extension NodePortKey {
    /// By port, then protocol, then family.
    package static func < (left: Self, right: Self) -> Bool {
        (left.port, left.protocolNumber, left.fields.family) < (right.port, right.protocolNumber, right.fields.family)
    }
}

extension PrefixKey {
    /// By address, then length.
    package static func < (left: Self, right: Self) -> Bool {
        (left.fields.address.ipAddress, left.fields.length) < (right.fields.address.ipAddress, right.fields.length)
    }
}
