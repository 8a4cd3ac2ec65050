// One address that clients dial, and what each kind of client gets there (REJ-2).

package import NetworkTypes
package import ServiceModel

package struct FrontendPlan: Hashable, Sendable {
    package enum Kind: UInt8, Hashable, Sendable, CaseIterable {
        case clusterIP = 1
        case nodePort = 2
        case externalIP = 3
        case loadBalancer = 4
    }

    /// What becomes of a new connection.
    package enum Disposition: String, Hashable, Sendable {
        /// One of the cluster list.
        case cluster
        /// One of the local list.
        case local
        /// Refused: there is no usable endpoint anywhere (REJ-1).
        case reject
        /// Silence: usable endpoints exist, but not for this policy (TP-3, TP-7).
        case drop
    }

    /// Who a client is to this node.
    package struct Clients: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The source is an address of this node (TP-10).
        package static let host = Clients(rawValue: 1 << 0)
        /// The local-traffic detector recognises it (MASQ-9).
        package static let pods = Clients(rawValue: 1 << 1)
        /// Everybody else.
        package static let outside = Clients(rawValue: 1 << 2)
    }

    package var kind: Kind
    package var address: AddressAndPort
    /// For clients outside of this node, and pods that no detector recognises (TP-5, TP-8).
    package var externalTo: Disposition
    /// For this node's processes and pod-local traffic (TP-1, TP-6).
    package var internalTo: Disposition
    /// loadBalancerSourceRanges of the family; empty: unrestricted (LBSR-5, LBSR-6). Only on load-balancer frontends.
    package var sourceRanges: [CIDR]
    /// Whether they say who is admitted, or who is not.
    package var sourceRangesPolicy: Service.SourceRangesPolicy
    /// Whether the ranges admit this node's own sockets: its node IP of the family is inside (LBSR-3).
    package var admitsHostSockets: Bool
    /// Whether they admit its pods' sockets: the pods' whole range is inside. A socket has no source address yet when it
    /// connects, so its class decides; partly covered ranges count as excluded.
    package var admitsPodSockets: Bool
    /// Those of the service's own load-balancer addresses whose packets are admitted whatever the ranges say: all of the
    /// family where they admit the node's own IP (LBSR-4), else none.
    package var virtualSources: [IPAddress]
    /// Whose packets get a source address of this node, whatever backend is drawn (section 8 of the rules).
    package var masquerades: Clients
    /// Whose packets are refused: outside clients at a ClusterIP, where the operator wants it so.
    package var refuses: Clients

    package init(
        kind: Kind, address: AddressAndPort, externalTo: Disposition, internalTo: Disposition,
        sourceRanges: [CIDR] = [], sourceRangesPolicy: Service.SourceRangesPolicy = .allow,
        admitsHostSockets: Bool = true, admitsPodSockets: Bool = true, virtualSources: [IPAddress] = [],
        masquerades: Clients = [], refuses: Clients = []
    ) {
        self.kind = kind
        self.address = address
        self.externalTo = externalTo
        self.internalTo = internalTo
        self.sourceRanges = sourceRanges
        self.sourceRangesPolicy = sourceRangesPolicy
        self.admitsHostSockets = admitsHostSockets
        self.admitsPodSockets = admitsPodSockets
        self.virtualSources = virtualSources
        self.masquerades = masquerades
        self.refuses = refuses
    }
}

extension FrontendPlan.Kind: CustomStringConvertible {
    package var description: String {
        switch self {
        case .clusterIP: "ClusterIP"
        case .nodePort: "NodePort"
        case .externalIP: "ExternalIP"
        case .loadBalancer: "LoadBalancer"
        }
    }
}
