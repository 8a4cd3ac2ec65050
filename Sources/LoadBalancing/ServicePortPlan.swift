// What this node should do for one service port: the result of every Kubernetes rule, before any map is thought of.
// The families are apart, since each is a proxy of its own (DS-1). Plain values; built by ServicePlanner.

package import NetworkTypes
package import ServiceModel

package struct ServicePortPlan: Hashable, Sendable {
    package var name: ServicePortName
    /// The service port's own number; node ports are in the frontends.
    package var port: UInt16
    package var algorithm: Service.Algorithm
    /// Whether outside clients' packets go to other nodes in tunnels, and replies straight to the client (DSR).
    package var isDSR: Bool
    package var sessionAffinitySeconds: UInt32?
    package var healthCheckNodePort: UInt16?
    /// One entry for each family in which the service exists; at least one, IPv4 first.
    package var families: [FamilyPlan]

    package init(
        name: ServicePortName, port: UInt16, algorithm: Service.Algorithm = .random, isDSR: Bool = false,
        sessionAffinitySeconds: UInt32? = nil, healthCheckNodePort: UInt16? = nil, families: [FamilyPlan] = []
    ) {
        self.name = name
        self.port = port
        self.algorithm = algorithm
        self.isDSR = isDSR
        self.sessionAffinitySeconds = sessionAffinitySeconds
        self.healthCheckNodePort = healthCheckNodePort
        self.families = families
    }
}

package struct FamilyPlan: Hashable, Sendable {
    package var family: AddressFamily
    /// The cluster list after every rule (EP-11…17, TOPO), ordered, without duplicates; empty unless `usesCluster`.
    package var cluster: [Backend]
    /// The local list, likewise; empty unless `usesLocal`.
    package var local: [Backend]
    /// Whether some policy of the service uses the list (EP-21).
    package var usesCluster: Bool
    package var usesLocal: Bool
    /// Distinct local addresses with ready endpoints, over all ports of the service (HC-3).
    package var localReadyCount: Int
    /// Every endpoint of this port with the serving condition, used or not, ordered: sockets and conntrack entries to
    /// other addresses are stale (CT-3), unless it is empty (CT-4).
    package var serving: [AddressAndPort]
    /// Ordered by (kind, address, port). A frontend that an older service owns is left out (SVC-15).
    package var frontends: [FrontendPlan]

    package init(
        family: AddressFamily, cluster: [Backend] = [], local: [Backend] = [], usesCluster: Bool = true,
        usesLocal: Bool = false, localReadyCount: Int = 0, serving: [AddressAndPort] = [],
        frontends: [FrontendPlan] = []
    ) {
        self.family = family
        self.cluster = cluster
        self.local = local
        self.usesCluster = usesCluster
        self.usesLocal = usesLocal
        self.localReadyCount = localReadyCount
        self.serving = serving
        self.frontends = frontends
    }
}

/// Where traffic is sent. Ordered by address and port, the order of a backend set.
package struct Backend: Hashable, Sendable, Comparable {
    package var address: AddressAndPort
    /// Relative share, at least 1.
    package var weight: UInt32
    /// An endpoint of this node (EP-10).
    package var isLocal: Bool

    package init(address: AddressAndPort, weight: UInt32 = 1, isLocal: Bool = false) {
        self.address = address
        self.weight = weight
        self.isLocal = isLocal
    }

    package static func < (left: Self, right: Self) -> Bool {
        left.address == right.address ? left.weight < right.weight : left.address < right.address
    }
}
