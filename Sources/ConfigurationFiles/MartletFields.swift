// The fields of MartletConfiguration: their names, which the decoder goes by, and what they may hold, as the published
// schema says.

import LoadBalancing
import NetworkTypes
import ServiceModel

enum MartletFields {
    static let apiVersion = "martlet.dev/v1alpha1"
    static let kind = "MartletConfiguration"

    struct Field: Sendable {
        var name: String
        var type: FieldType
        /// What it decides, with its default.
        var meaning: String
        /// Whether another value takes effect while the agent runs.
        var isLive = false
    }

    indirect enum FieldType: Sendable {
        case flag
        /// One of these words.
        case word([String])
        case text(pattern: String?)
        case integer(ClosedRange<Int64>)
        case list(FieldType)
        case section([Field])
    }

    /// The names of each section.
    static let sections: [(path: String, fields: Set<String>)] =
        [("", Set(fields.map(\.name)))]
        + fields.compactMap { field in
            guard case .section(let members) = field.type else { return nil }
            return (field.name, Set(members.map(\.name)))
        }

    static let fields: [Field] = header + rules + packets + datapath + running

    static let header = [
        Field(name: "apiVersion", type: .word([apiVersion]), meaning: "The version of this format."),
        Field(name: "kind", type: .word([kind]), meaning: "What this document is."),
    ]

    private static let rules = [
        Field(
            name: "nodePortAddresses", type: .list(.text(pattern: nil)),
            meaning:
                "Which of the node's addresses serve node ports: CIDRs, or primary or all alone. Default: primary.",
            isLive: true),
        Field(
            name: "localhostNodePorts", type: .flag,
            meaning: "Serve IPv4 node ports on 127.0.0.1 for the node's own processes. Default: false.", isLive: true),
        Field(
            name: "detectLocal", type: .section(detectLocal),
            meaning:
                "How traffic of pods is recognised. Live, unless a family gets its first detector or loses its last.",
            isLive: true),
        Field(
            name: "masqueradeAll", type: .flag, meaning: "Masquerade all traffic to ClusterIPs. Default: false.",
            isLive: true),
        Field(
            name: "serviceCIDRs", type: .list(.text(pattern: cidr)),
            meaning: "Service ranges besides those of ServiceCIDR objects.", isLive: true),
        Field(
            name: "algorithm", type: .word(Service.Algorithm.allCases.map(\.rawValue)),
            meaning: "How a backend is chosen for services that do not say. Default: random.", isLive: true),
        Field(
            name: "allowServiceExternalIPs", type: .flag, meaning: "Serve ExternalIPs. Default: true.", isLive: true),
        Field(
            name: "bindAddress", type: .text(pattern: nil),
            meaning: "The node's own IP of its family. Default: the Node object's.", isLive: true),
        Field(
            name: "forwarding", type: .word(Service.Forwarding.allCases.map(\.rawValue)),
            meaning: "How packets of outside clients are forwarded for services that do not say. Default: snat.",
            isLive: true),
        Field(
            name: "clusterIPFromOutside", type: .flag,
            meaning: "Whether outside clients may dial ClusterIPs through this node. Default: true.", isLive: true),
    ]

    private static let detectLocal = [
        Field(
            name: "mode", type: .word(["", "ClusterCIDR", "NodeCIDR", "BridgeInterface", "InterfaceNamePrefix"]),
            meaning: "Default: ClusterCIDR."),
        Field(
            name: "clusterCIDRs", type: .list(.text(pattern: cidr)),
            meaning: "The ranges of all pods, one of each family at most."),
        Field(name: "bridgeInterface", type: .text(pattern: device), meaning: "The bridge of this node's pods."),
        Field(
            name: "interfaceNamePrefix", type: .text(pattern: device),
            meaning: "How the names of the devices of this node's pods begin."),
    ]

    private static let packets = [
        Field(
            name: "devices", type: .list(.text(pattern: nil)),
            meaning: "Devices that lead out of the node: names and patterns, or auto or none alone. Default: auto."),
        Field(
            name: "xdp", type: .word(["native", "generic", "off"]),
            meaning: "How far down packets are served. Default: native."),
        Field(
            name: "dsrDispatch", type: .word(["ipip", "option"]),
            meaning: "How packets with direct server return go to other nodes. Default: ipip."),
        Field(
            name: "tunnelSources", type: .list(.text(pattern: cidr)),
            meaning: "Outer source addresses of tunnels: IPv4 /1 to /31, IPv6 /1 to /96, one of each at most."),
        Field(
            name: "sourcePorts", type: .text(pattern: "^[0-9]{1,5}-[0-9]{1,5}$"),
            meaning: "Source ports of masqueraded flows. Default: 61000-65535."),
    ]

    private static let datapath = [
        Field(
            name: "pinFolder", type: .text(pattern: path),
            meaning: "Where maps and links are pinned. Default: /sys/fs/bpf/martlet."),
        Field(
            name: "cgroup", type: .text(pattern: path),
            meaning: "The cgroup2 directory whose sockets are served. Default: the root of cgroup2."),
        Field(
            name: "skipCgroups", type: .list(.text(pattern: path)),
            meaning: "cgroup2 directories whose sockets are left alone."),
        Field(
            name: "terminateTCPConnections", type: .flag,
            meaning: "Destroy TCP sockets too when their endpoint stops serving. Default: false."),
        Field(
            name: "bindProtection", type: .flag, meaning: "Refuse bind() to ports that node ports hold. Default: true."),
        Field(
            name: "mapSizes",
            type: .section(
                MapSize.allCases.map { size in
                    Field(
                        name: size.rawValue, type: .integer((size == .eventBytes ? 4096 : 1)...Int64(MapSize.limit)),
                        meaning: size == .eventBytes ? "Bytes, a power of two." : "Entries; docs/operations.md.")
                }),
            meaning: "Sizes of maps, which take effect after martlet cleanup."),
    ]

    private static let running = [
        Field(
            name: "metricsBindAddress", type: .text(pattern: nil),
            meaning: "IP:port of /metrics; empty: none. Default: 127.0.0.1:10249."),
        Field(
            name: "healthzBindAddress", type: .text(pattern: nil),
            meaning: "IP:port of /healthz and /livez; empty: none. Default: 0.0.0.0:10256 with an API server."),
        Field(
            name: "bindAddressHardFail", type: .flag,
            meaning: "End when one of these addresses is taken. Default: false, it is tried again every 5 s."),
        Field(
            name: "logLevel", type: .word(logLevels), meaning: "How much is logged. Default: info.", isLive: true),
        Field(
            name: "auditInterval", type: .text(pattern: duration),
            meaning: "How often the maps are compared with what they should hold; 0: never. Default: 1m.", isLive: true),
        Field(
            name: "gracePeriod", type: .text(pattern: duration),
            meaning: "How long replaced records stay readable; 1s at least. Default: 30s.", isLive: true),
        Field(
            name: "minSyncPeriod", type: .text(pattern: duration),
            meaning: "From the end of a sync to the beginning of the next; 0: none. Default: 10ms.", isLive: true),
        Field(
            name: "syncPeriod", type: .text(pattern: duration),
            meaning: "The longest wait before what failed is tried again; twice as long is unhealthy. Default: 30s."),
    ]

    static let logLevels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]

    private static let duration = #"^\+?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$"#
    private static let path = "^/"
    /// Whether it is a range is up to the decoder.
    private static let cidr = "^[0-9a-fA-F.:]+/[0-9]{1,3}$"
    private static let device = "^.{0,15}$"
}
