// What a configuration file decides, whichever of the two kinds it is: Martlet's own, or the one that kube-proxy's
// users have. Plain values with every default filled in; flags go before them, which is up to the command line.

package import LoadBalancing
package import NetworkTypes
package import ServiceModel

package struct AgentConfiguration: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// There is no file, and no flag that stands for one.
        case none
        case martlet
        case kubeProxy
    }

    package var kind = Kind.none
    /// The node's name where the file overrides the hostname: trimmed, in lower case (NODE-1). KubeProxyConfiguration
    /// only.
    package var hostnameOverride: String?
    /// The API server's kubeconfig file, `clientConnection.kubeconfig`. KubeProxyConfiguration only.
    package var kubeconfig: String?
    /// Where metrics are served; nil: nowhere. Default 127.0.0.1:10249.
    package var metricsAddress: AddressAndPort? = AgentConfiguration.defaultMetricsAddress
    /// Where /healthz and /livez are served.
    package var health = Listening.byDefault
    /// End when an address of these cannot be had, instead of trying again (HZ-5). Default false.
    package var bindAddressHardFail = false
    package var datapath = DatapathConfiguration()
    /// How often the maps are compared with what they should hold; nil: never. Default one minute.
    package var auditInterval: Duration? = .seconds(60)
    /// How much is logged: a level's name; nil: the file does not say. MartletConfiguration only.
    package var logLevel: String?
    /// How long replaced slots and backends stay for programs that still read them. Default 30 seconds.
    package var gracePeriod: Duration = .seconds(30)
    /// In less than that, a program on a busy CPU may not be done with what it has read.
    package static let leastGracePeriod = Duration.seconds(1)
    /// `iptables`, `ipvs` or `nftables`: whose defaults are taken. Martlet's own are those of nftables.
    package var proxyMode = "nftables"
    /// The KubeProxyConfiguration that was read, with all that has no effect here; nil for one of Martlet's own.
    package var kubeProxyDocument: FieldValue?
    /// From the end of a sync to the beginning of the next (SYNC-3); zero: none.
    package var minimumSyncInterval = AgentConfiguration.defaultMinimumSyncInterval
    /// What failed is tried again after this time at the latest (SYNC-5); a change that waits for twice as long is a
    /// fault of the node's health (HZ-3). Default 30 seconds.
    package var syncPeriod = Duration.seconds(30)
    /// Requests to the API server a second, watches aside, and how many at once (API-6); a negative rate is none. Default
    /// 5 and 10. KubeProxyConfiguration only.
    package var requestsPerSecond = 5.0
    package var requestBurst = 10
    /// Ask the API server for JSON alone. KubeProxyConfiguration only.
    package var wantsJSON = false
    /// A change costs little, so little is enough: single changes never wait, and in a storm 100 transactions a second
    /// carry everything. Without any, each of a service's changes would take fresh space for the grace period.
    package static let defaultMinimumSyncInterval = Duration.milliseconds(10)
    /// What is accepted but means something else than its author may think, the file's top-level fields first.
    package var notices: [ConfigurationNotice] = []

    /// Everything but the node's name.
    private var settings = NodeSettings(nodeName: "")

    package static let defaultMetricsAddress = AddressAndPort(address: IPAddress(ipv4: 0x7f00_0001), port: 10249)

    /// Martlet's defaults, for running without a file: node ports on the node's primary addresses and not on loopback
    /// (NP-1, NP-6, as kube-proxy's nftables mode), no local detector, no masquerading of ClusterIP traffic, random
    /// choice.
    package init() {}

    /// What the rules read of the configuration, for the node of this name.
    package func nodeSettings(nodeName: String) -> NodeSettings {
        var named = settings
        named.nodeName = nodeName
        return named
    }

    mutating func change(_ change: (inout NodeSettings) -> Void) {
        change(&settings)
    }
}

/// Where a server listens.
package enum Listening: Hashable, Sendable {
    /// The file does not say.
    case byDefault
    case nowhere
    case at(AddressAndPort)
}

/// What the file says about the datapath itself. Nil and absent: Datapath's own default, or a flag.
package struct DatapathConfiguration: Hashable, Sendable {
    /// Where maps and links are pinned.
    package var pinFolder: String?
    /// The cgroup2 directory whose sockets are served, with all below it.
    package var cgroup: String?
    /// cgroup2 directories whose sockets are left alone. Default none.
    package var skipCgroups: [String] = []
    /// Destroy TCP sockets too when their endpoint stops serving, not only UDP ones. Default false.
    package var terminatesTCPConnections = false
    /// Refuse bind() to ports that node ports hold. Default true.
    package var bindProtection = true
    /// Devices of the packet hooks: `auto`, `none`, or name patterns. Default `auto`.
    package var devices: [String] = ["auto"]
    /// `native`, `generic` or `off`. Default native.
    package var xdp = "native"
    /// How DSR packets go to other nodes: `ipip` or `option`. Default ipip.
    package var directReturnDispatch = "ipip"
    /// Outer source addresses of DSR tunnels, one range of each family at most. Default: the node's own address.
    package var tunnelSources: [CIDR] = []
    /// Source ports of masqueraded flows.
    package var sourcePorts: ClosedRange<UInt16> = 61000...65535
    /// Sizes of maps that are not the default ones.
    package var mapSizes: [MapSize: UInt32] = [:]

    package init() {}
}

/// The maps whose size can be chosen; raw values are the fields of `mapSizes`.
package enum MapSize: String, Hashable, Sendable, CaseIterable {
    /// Entries: frontends of all services, plus a wildcard for each virtual address.
    case frontends
    /// Elements: distinct backends of all services.
    case backends
    /// Words of 8 bytes, for backend sets and Maglev tables.
    case slots
    /// Service ports.
    case services
    /// Distinct node ports.
    case nodePorts
    case serviceCIDRs
    /// Connected sockets with reverse state.
    case connections
    /// Pages of unconnected UDP sockets, one for every four services of a socket.
    case udpPages
    /// Clients with session affinity.
    case affinity
    /// Prefixes of loadBalancerSourceRanges.
    case sourceRanges
    /// Flows of packets.
    case flows
    /// Bytes of the event ring: a power of two of at least 4096.
    case eventBytes
}

/// Something that the file says and that is accepted, but has not the effect that its author may expect.
package struct ConfigurationNotice: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// Nobody knows the field; kube-proxy warns as well (FLAG-1).
        case unknownField
        /// The field is there more than once, and the last one counts; kube-proxy warns as well (FLAG-1).
        case duplicateField
        /// kube-proxy knows the field; Martlet accepts and does not use it.
        case notUsed
        /// The value has an effect of its own here.
        case different
    }

    package var kind: Kind
    /// Path of the field, such as `conntrack.maxPerCore`.
    package var field: String
    package var message: String

    package init(_ kind: Kind, _ field: String, _ message: String) {
        self.kind = kind
        self.field = field
        self.message = message
    }
}

extension ConfigurationNotice: CustomStringConvertible {
    package var description: String { "\(field): \(message)" }
}

/// The file cannot be used (FLAG-3): all that is wrong with it, ordered by field, at least one.
package struct ConfigurationError: Hashable, Sendable, Error {
    package var problems: [FieldMessage]

    package struct FieldMessage: Hashable, Sendable, CustomStringConvertible {
        package var field: String
        package var message: String

        package var description: String { field.isEmpty ? message : "\(field): \(message)" }
    }
}

extension ConfigurationError: CustomStringConvertible {
    package var description: String { problems.map(\.description).joined(separator: "; ") }
}
