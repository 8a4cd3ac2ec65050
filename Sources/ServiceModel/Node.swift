// What the proxy reads of a Node, and of a ServiceCIDR.

package import NetworkTypes

package struct Node: Hashable, Sendable {
    package var name: String
    /// The label `topology.kubernetes.io/zone`; nil when absent or empty (TOPO-5).
    package var zone: String?
    /// InternalIPs, then ExternalIPs, each in the order given (NODE-3).
    package var addresses: [IPAddress]
    package var podCIDRs: [CIDR]
    /// Deletion has begun, or the cluster autoscaler's taint is there (HZ-4).
    package var isLeaving: Bool

    package init(
        name: String, zone: String? = nil, addresses: [IPAddress] = [], podCIDRs: [CIDR] = [], isLeaving: Bool = false
    ) {
        self.name = name
        self.zone = zone
        self.addresses = addresses
        self.podCIDRs = podCIDRs
        self.isLeaving = isLeaving
    }
}

package struct ServiceCIDR: Hashable, Sendable {
    package var name: String
    package var ranges: [CIDR]

    package init(name: String, ranges: [CIDR]) {
        self.name = name
        self.ranges = ranges
    }
}
