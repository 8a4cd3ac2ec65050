// What the operator decided for this node, as far as the rules read it. Built by Configuration from flags and files;
// plain values here.

package import NetworkTypes
package import ServiceModel

package struct NodeSettings: Hashable, Sendable {
    /// Which of the node's addresses serve node ports (NP-1…NP-5).
    package enum NodePortAddresses: Hashable, Sendable {
        case all
        /// The node's own IPs of each family (NODE-4); a family without one serves on all.
        case primary
        /// A family without a CIDR of its own serves on all its addresses (NP-3).
        case ranges([CIDR])
    }

    /// How pod-local traffic is recognised (MASQ-9).
    package enum LocalDetector: Hashable, Sendable {
        case none
        case clusterCIDR([CIDR])
        case nodeCIDR
        case bridgeInterface(String)
        case interfaceNamePrefix(String)
    }

    package var nodeName: String
    package var nodePortAddresses: NodePortAddresses
    /// Serve IPv4 node ports on 127.0.0.1, for this node's own processes (NP-6).
    package var localhostNodePorts: Bool
    package var localDetector: LocalDetector
    package var masqueradeAll: Bool
    /// Besides those of ServiceCIDR objects (SVC-12).
    package var serviceCIDRs: [CIDR]
    /// Feature gate AllowServiceExternalIPs (SVC-11).
    package var externalIPsAllowed: Bool
    /// A specific bind address is the node IP of its family (NODE-4).
    package var bindAddress: IPAddress?
    /// For services without an annotation of their own.
    package var defaultAlgorithm: Service.Algorithm
    /// The same.
    package var defaultForwarding: Service.Forwarding
    /// Whether outside clients may dial ClusterIPs through this node. kube-proxy lets them.
    package var servesClusterIPsOutside: Bool

    package init(
        nodeName: String, nodePortAddresses: NodePortAddresses = .primary, localhostNodePorts: Bool = false,
        localDetector: LocalDetector = .none, masqueradeAll: Bool = false, serviceCIDRs: [CIDR] = [],
        externalIPsAllowed: Bool = true, bindAddress: IPAddress? = nil, defaultAlgorithm: Service.Algorithm = .random,
        defaultForwarding: Service.Forwarding = .snat, servesClusterIPsOutside: Bool = true
    ) {
        self.nodeName = nodeName
        self.nodePortAddresses = nodePortAddresses
        self.localhostNodePorts = localhostNodePorts
        self.localDetector = localDetector
        self.masqueradeAll = masqueradeAll
        self.serviceCIDRs = serviceCIDRs
        self.externalIPsAllowed = externalIPsAllowed
        self.bindAddress = bindAddress
        self.defaultAlgorithm = defaultAlgorithm
        self.defaultForwarding = defaultForwarding
        self.servesClusterIPsOutside = servesClusterIPsOutside
    }
}
