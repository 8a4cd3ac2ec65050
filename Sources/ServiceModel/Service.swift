// What a Service is, as far as a service proxy reads it. Values are parsed and normalised (INV-1) by Decoding; what they
// mean for this node is decided in LoadBalancing.

package import NetworkTypes

package struct Service: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        case clusterIP = "ClusterIP"
        case nodePort = "NodePort"
        case loadBalancer = "LoadBalancer"
        case externalName = "ExternalName"
    }

    package enum TrafficPolicy: String, Hashable, Sendable {
        case cluster = "Cluster"
        case local = "Local"
    }

    /// How a backend is chosen; Martlet's own, from the annotation `martlet.dev/algorithm`.
    package enum Algorithm: String, Hashable, Sendable, CaseIterable {
        case random
        case maglev
    }

    /// How outside clients' packets travel to backends of other nodes; Martlet's own, from the annotation
    /// `martlet.dev/forwarding`.
    package enum Forwarding: String, Hashable, Sendable, CaseIterable {
        /// With an address of this node as source, and the reply back through this node.
        case snat
        /// In a tunnel, with the client's address kept, and the reply straight to the client: direct server return.
        case dsr
        /// `dsr` for TCP, `snat` for everything else.
        case hybrid
    }

    /// How loadBalancerSourceRanges are meant; Martlet's own, from the annotation `martlet.dev/source-ranges-policy`.
    package enum SourceRangesPolicy: String, Hashable, Sendable {
        /// Only sources inside are admitted.
        case allow
        /// Only sources inside are dropped.
        case deny
    }

    package var name: ObjectName
    /// Seconds since 1970; nil when the manifest has none. Decides between services that claim one frontend (SVC-15).
    package var creationTime: Int64?
    package var kind: Kind
    /// `clusterIP` is empty or None: nothing is programmed (SVC-7).
    package var isHeadless: Bool
    /// The label `service.kubernetes.io/service-proxy-name` is present, whatever its value (SVC-9).
    package var belongsToOtherProxy: Bool
    /// The ClusterIP of each family that the service has (SVC-13). Empty for headless services.
    package var clusterIPs: [AddressFamily: IPAddress]
    package var externalIPs: [IPAddress]
    /// Addresses of status.loadBalancer.ingress that the proxy serves: those of ipMode VIP or unset (SVC-4, SVC-6).
    package var loadBalancerIPs: [IPAddress]
    /// loadBalancerSourceRanges of both families, invalid entries left out (LBSR-7).
    package var loadBalancerSourceRanges: [CIDR]
    package var sourceRangesPolicy: SourceRangesPolicy
    package var externalTrafficPolicy: TrafficPolicy
    package var internalTrafficPolicy: TrafficPolicy
    /// sessionAffinity ClientIP with its timeout; nil for None (AFF-3).
    package var sessionAffinitySeconds: UInt32?
    /// Zero when unset (HC-1, INV-7).
    package var healthCheckNodePort: UInt16
    package var algorithm: Algorithm?
    package var forwarding: Forwarding?
    package var ports: [ServicePort]

    package init(
        name: ObjectName, creationTime: Int64? = nil, kind: Kind = .clusterIP, isHeadless: Bool = false,
        belongsToOtherProxy: Bool = false, clusterIPs: [AddressFamily: IPAddress] = [:], externalIPs: [IPAddress] = [],
        loadBalancerIPs: [IPAddress] = [], loadBalancerSourceRanges: [CIDR] = [],
        sourceRangesPolicy: SourceRangesPolicy = .allow,
        externalTrafficPolicy: TrafficPolicy = .cluster, internalTrafficPolicy: TrafficPolicy = .cluster,
        sessionAffinitySeconds: UInt32? = nil, healthCheckNodePort: UInt16 = 0, algorithm: Algorithm? = nil,
        forwarding: Forwarding? = nil, ports: [ServicePort] = []
    ) {
        self.name = name
        self.creationTime = creationTime
        self.kind = kind
        self.isHeadless = isHeadless
        self.belongsToOtherProxy = belongsToOtherProxy
        self.clusterIPs = clusterIPs
        self.externalIPs = externalIPs
        self.loadBalancerIPs = loadBalancerIPs
        self.loadBalancerSourceRanges = loadBalancerSourceRanges
        self.sourceRangesPolicy = sourceRangesPolicy
        self.externalTrafficPolicy = externalTrafficPolicy
        self.internalTrafficPolicy = internalTrafficPolicy
        self.sessionAffinitySeconds = sessionAffinitySeconds
        self.healthCheckNodePort = healthCheckNodePort
        self.algorithm = algorithm
        self.forwarding = forwarding
        self.ports = ports
    }
}

/// One port of a service. `targetPort` is not here: the proxy never reads it (PORT-4).
package struct ServicePort: Hashable, Sendable {
    /// Empty for an unnamed port.
    package var name: String
    package var protocolKind: TransportProtocol
    package var port: UInt16
    /// Zero when the service has no node port.
    package var nodePort: UInt16

    package init(name: String = "", protocol protocolKind: TransportProtocol = .tcp, port: UInt16, nodePort: UInt16 = 0)
    {
        self.name = name
        self.protocolKind = protocolKind
        self.port = port
        self.nodePort = nodePort
    }
}

/// The unit of programming: each has its own endpoints, affinity records and counters (SVC-2).
package struct ServicePortName: Hashable, Sendable {
    package var service: ObjectName
    package var portName: String
    package var protocolKind: TransportProtocol

    package init(service: ObjectName, portName: String, protocol protocolKind: TransportProtocol) {
        self.service = service
        self.portName = portName
        self.protocolKind = protocolKind
    }
}

extension ServicePortName: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        (left.service, left.portName, left.protocolKind) < (right.service, right.portName, right.protocolKind)
    }
}

extension ServicePortName: CustomStringConvertible {
    /// `namespace/name` for an unnamed port, else `namespace/name:port`.
    package var description: String { portName.isEmpty ? "\(service)" : "\(service):\(portName)" }
}
