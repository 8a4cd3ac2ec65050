// Key and value of `frontends` (bpf/abi/frontends.h).

package import CDatapathABI
package import NetworkTypes

/// Key of `frontends`: what clients dial.
package typealias FrontendKey = ABIRecord<dp_frontend_key>

extension FrontendKey {
    package init(_ address: AddressAndPort, protocol protocolKind: TransportProtocol) {
        self.init(
            dp_frontend_key(
                address: dp_address(address.address), port_be: address.port.bigEndian, protocol: protocolKind.rawValue,
                pad: 0))
    }

    /// Every unused port of a virtual address (SVC-12).
    package init(wildcard address: IPAddress) {
        self.init(dp_frontend_key(address: dp_address(address), port_be: 0, protocol: 0, pad: 0))
    }

    package var address: IPAddress { fields.address.ipAddress }
    /// Host order; zero for a wildcard.
    package var port: UInt16 { UInt16(bigEndian: fields.port_be) }
    /// IANA number; zero for a wildcard.
    package var protocolNumber: UInt8 { fields.protocol }
    /// What is left of a DSR frontend that has gone (DP_PROTOCOL_LEFT_TCP): nobody dials it.
    package var isLeft: Bool { fields.protocol == UInt8(DP_PROTOCOL_LEFT_TCP) }
    /// Where what is left of this frontend is; nil if nothing can be, since only TCP connections outlive theirs.
    package var left: FrontendKey? {
        guard fields.protocol == TransportProtocol.tcp.rawValue else { return nil }
        var key = self
        key.fields.protocol = UInt8(DP_PROTOCOL_LEFT_TCP)
        return key
    }
    package var isWildcard: Bool { fields.protocol == 0 && fields.port_be == 0 }
}

extension FrontendKey: Comparable {
    /// By address, port, protocol; a wildcard comes first of its address.
    package static func < (left: Self, right: Self) -> Bool {
        bytesPrecede(left, right)
    }
}

extension FrontendKey: CustomStringConvertible {
    /// `10.96.0.10:53/UDP`, or `10.96.0.10:*` for a wildcard; `203.0.113.5:80/TCP (gone)` for what is left.
    package var description: String {
        if isLeft { return "\(AddressAndPort(address: address, port: port))/\(TransportProtocol.tcp) (gone)" }
        if isWildcard { return address.family == .ipv4 ? "\(address):*" : "[\(address)]:*" }
        let name = TransportProtocol(rawValue: protocolNumber).map(\.description) ?? "\(protocolNumber)"
        return "\(AddressAndPort(address: address, port: port))/\(name)"
    }
}

/// Value of `frontends`.
package typealias FrontendRecord = ABIRecord<dp_frontend>
