// Which addresses of this node serve node ports (NP-1…NP-6, NP-9).

import NetworkTypes

enum NodePortAddresses {
    /// Concrete addresses of the family, ordered, without duplicates; empty when nothing matches (NP-9).
    static func serving(_ family: AddressFamily, on node: NodeView, settings: NodeSettings) -> [IPAddress] {
        let ranges = ranges(of: family, node: node, setting: settings.nodePortAddresses)
        let own = node.addresses.filter { $0.family == family && $0.isUnicast && !$0.isLoopback }
        return own.filter { ranges.contains(address: $0) } + loopback(family, within: ranges, settings: settings)
    }

    /// Where a server of this node's own listens that is asked under the same addresses (HC-4): the unspecified address
    /// for all of them; else each one, loopback included.
    static func listening(_ family: AddressFamily, on node: NodeView, settings: NodeSettings) -> [IPAddress] {
        let ranges = ranges(of: family, node: node, setting: settings.nodePortAddresses)
        if ranges.contains(.everything(of: family)) { return [.unspecified(family)] }
        return node.addresses.filter { $0.family == family && $0.isUnicast && ranges.contains(address: $0) }
    }

    /// The ranges that serve; everything for a family without a range of its own (NP-3), so never empty.
    private static func ranges(
        of family: AddressFamily, node: NodeView, setting: NodeSettings.NodePortAddresses
    ) -> [CIDR] {
        let own: [CIDR] =
            switch setting {
            case .all: []
            case .primary: node.nodeIPs[family].map { $0.isLoopback ? [] : [CIDR($0)] } ?? []
            case .ranges(let ranges): ranges.filter { $0.family == family }
            }
        return own.isEmpty ? [.everything(of: family)] : own
    }

    /// Only where iptables mode would: IPv4, wanted, and inside of the ranges (NP-6). Every node has this address.
    private static func loopback(
        _ family: AddressFamily, within ranges: [CIDR], settings: NodeSettings
    ) -> [IPAddress] {
        let loopback = IPAddress(ipv4: 0x7f00_0001)
        guard family == .ipv4, settings.localhostNodePorts, ranges.contains(address: loopback) else { return [] }
        return [loopback]
    }
}

extension IPAddress {
    fileprivate var isUnicast: Bool { !isUnspecified && !isMulticast }
}
