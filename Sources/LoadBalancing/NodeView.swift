// This node as the rules see it: its identity, its addresses and its pods' ranges. Made from the Node object and the
// operator's settings; which addresses serve node ports is in NodePortAddresses.

package import NetworkTypes
package import ServiceModel

package struct NodeView: Hashable, Sendable {
    /// Empty when this proxy has no node name: then nothing is local (EP-10).
    package let name: String
    /// Nil without the zone label, and with an empty one (TOPO-5).
    package let zone: String?
    /// The node's own IP of each family; nil where only loopback would be left (NODE-4).
    package let nodeIPs: PerFamily<IPAddress?>
    /// Every address of this node, ordered, without duplicates.
    package let addresses: [IPAddress]
    /// The Node's `spec.podCIDRs`.
    package let podCIDRs: [CIDR]

    /// `addresses` are those that the node really has; nil when nobody knows, then the Node object's are taken.
    package init(node: Node?, settings: NodeSettings, addresses: [IPAddress]? = nil) {
        let bindAddress = settings.bindAddress.flatMap { $0.isUnspecified ? nil : $0 }
        let nodeIPs = PerFamily { family in
            bindAddress?.family == family ? bindAddress : node?.addresses.first { $0.family == family }
        }
        let fallback = (node?.addresses ?? []) + (bindAddress.map { [$0] } ?? [])
        self.name = settings.nodeName
        self.zone = node?.zone.flatMap { $0.isEmpty ? nil : $0 }
        self.nodeIPs = nodeIPs
        self.addresses = Set(addresses ?? fallback).sorted()
        self.podCIDRs = node?.podCIDRs ?? []
    }

    /// Where a process of this node may come from: the node's own IP, and where nobody says which that is, any of its
    /// addresses that others can answer. Empty when no address is known.
    func ownSources(of family: AddressFamily) -> [IPAddress] {
        if let own = nodeIPs[family] { return [own] }
        return addresses.filter { $0.family == family && $0.isHost && !$0.isLoopback && !$0.isLinkLocal }
    }

    /// Where this node's pods can be: its own pod ranges, else the cluster's; empty when neither is known.
    func podRanges(of family: AddressFamily, detector: NodeSettings.LocalDetector) -> [CIDR] {
        let own = podCIDRs.filter { $0.family == family }
        guard own.isEmpty, case .clusterCIDR(let ranges) = detector else { return own }
        return ranges.filter { $0.family == family }
    }
}
