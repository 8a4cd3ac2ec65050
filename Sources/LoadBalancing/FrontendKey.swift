// What identifies a frontend in the datapath: no two services can own the same one (SVC-15).

package import NetworkTypes

package struct FrontendKey: Hashable, Sendable {
    package var address: AddressAndPort
    package var protocolKind: TransportProtocol

    package init(address: AddressAndPort, protocol protocolKind: TransportProtocol) {
        self.address = address
        self.protocolKind = protocolKind
    }
}

extension FrontendKey: CustomStringConvertible {
    /// As the CLI takes it: `10.0.0.1:53/UDP`.
    package var description: String { "\(address)/\(protocolKind)" }
}
