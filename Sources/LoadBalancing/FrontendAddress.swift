// What identifies a frontend in the datapath: no two services can own the same one (SVC-15).

package import NetworkTypes

package struct FrontendAddress: Hashable, Sendable {
    package var address: AddressAndPort
    package var protocolKind: TransportProtocol

    package init(address: AddressAndPort, protocol protocolKind: TransportProtocol) {
        self.address = address
        self.protocolKind = protocolKind
    }

    /// Reads `10.0.0.1:53/UDP` or `[fd00::1]:53/udp`; nil for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = AddressAndPort(parts[0]),
            let protocolKind = TransportProtocol(kubernetesName: parts[1].uppercased())
        else { return nil }
        self.init(address: address, protocol: protocolKind)
    }
}

extension FrontendAddress: CustomStringConvertible {
    /// As the CLI takes it: `10.0.0.1:53/UDP`.
    package var description: String { "\(address)/\(protocolKind)" }
}
