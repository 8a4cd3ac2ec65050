// kube-proxy's flags, every one, and what Martlet makes of each: the table of the rules' section 25. Most stand for a field
// of KubeProxyConfiguration, and have the effect that the field has; docs/kube-proxy-options.md is this table for people.

package struct KubeProxyFlag: Hashable, Sendable {
    package enum Form: Hashable, Sendable {
        case text, flag, integer, number
        /// Separated by commas.
        case list
        /// `name=true`, separated by commas.
        case gates
    }

    package enum Meaning: Hashable, Sendable {
        /// Fields of the configuration file.
        case fields([String], Form)
        /// This node's name (NODE-1).
        case nodeName
        /// How much is logged.
        case verbosity
        /// A port for an address without one, 0: no server (FLAG-5).
        case healthPort, metricsPort
        /// Something else is done, and the process ends.
        case action(KubeProxyAction.Kind)
        /// Accepted without effect, and why.
        case ignored(String, Form)
        /// Not accepted, since ignoring it would be worse, and why.
        case refused(String)
    }

    package var name: String
    package var meaning: Meaning

    static func named(_ name: String) -> KubeProxyFlag? { all.first { $0.name == name } }

    package static let all: [KubeProxyFlag] = rules + timing + conntrack + server + logging + actions + refused

    private static func field(_ name: String, _ path: String, _ form: Form = .text) -> KubeProxyFlag {
        KubeProxyFlag(name: name, meaning: .fields([path], form))
    }

    private static let rules = [
        field("proxy-mode", "mode"), field("cluster-cidr", "clusterCIDR"),
        field("detect-local-mode", "detectLocalMode"),
        field("pod-bridge-interface", "detectLocal.bridgeInterface"),
        field("pod-interface-name-prefix", "detectLocal.interfaceNamePrefix"),
        field("nodeport-addresses", "nodePortAddresses", .list),
        KubeProxyFlag(
            name: "masquerade-all", meaning: .fields(["iptables.masqueradeAll", "nftables.masqueradeAll"], .flag)),
        field("iptables-localhost-nodeports", "iptables.localhostNodePorts", .flag),
        field("iptables-masquerade-bit", "iptables.masqueradeBit", .integer),
        field("ipvs-scheduler", "ipvs.scheduler"), field("ipvs-exclude-cidrs", "ipvs.excludeCIDRs", .list),
        field("ipvs-strict-arp", "ipvs.strictARP", .flag), field("ipvs-tcp-timeout", "ipvs.tcpTimeout"),
        field("ipvs-tcpfin-timeout", "ipvs.tcpFinTimeout"), field("ipvs-udp-timeout", "ipvs.udpTimeout"),
        field("feature-gates", "featureGates", .gates),
    ]

    private static let timing = [
        // FLAG-2: for every mode but ipvs.
        KubeProxyFlag(
            name: "iptables-sync-period", meaning: .fields(["iptables.syncPeriod", "nftables.syncPeriod"], .text)),
        KubeProxyFlag(
            name: "iptables-min-sync-period",
            meaning: .fields(["iptables.minSyncPeriod", "nftables.minSyncPeriod"], .text)),
        field("ipvs-sync-period", "ipvs.syncPeriod"), field("ipvs-min-sync-period", "ipvs.minSyncPeriod"),
        field("config-sync-period", "configSyncPeriod"),
    ]

    private static let conntrack = [
        field("conntrack-max-per-core", "conntrack.maxPerCore", .integer),
        field("conntrack-min", "conntrack.min", .integer),
        field("conntrack-tcp-timeout-established", "conntrack.tcpEstablishedTimeout"),
        field("conntrack-tcp-timeout-close-wait", "conntrack.tcpCloseWaitTimeout"),
        field("conntrack-tcp-be-liberal", "conntrack.tcpBeLiberal", .flag),
        field("conntrack-udp-timeout", "conntrack.udpTimeout"),
        field("conntrack-udp-timeout-stream", "conntrack.udpStreamTimeout"),
    ]

    private static let server = [
        KubeProxyFlag(name: "hostname-override", meaning: .nodeName), field("bind-address", "bindAddress"),
        field("bind-address-hard-fail", "bindAddressHardFail", .flag),
        KubeProxyFlag(name: "healthz-port", meaning: .healthPort),
        KubeProxyFlag(name: "metrics-port", meaning: .metricsPort),
        field("kube-api-qps", "clientConnection.qps", .number),
        field("kube-api-burst", "clientConnection.burst", .integer),
        field("oom-score-adj", "oomScoreAdj", .integer), field("profiling", "enableProfiling", .flag),
        field("show-hidden-metrics-for-version", "showHiddenMetricsForVersion"),
    ]

    private static let logging =
        [KubeProxyFlag(name: "v", meaning: .verbosity)]
        + [
            "vmodule", "logging-format", "log-flush-frequency", "log-json-info-buffer-size", "log-json-split-stream",
            "log-text-info-buffer-size", "log-text-split-stream",
        ].map { name in
            KubeProxyFlag(
                name: name,
                meaning: .ignored(
                    "Martlet logs lines of text to standard error", name.hasSuffix("split-stream") ? .flag : .text))
        }

    private static let actions = KubeProxyAction.Kind.allCases.map {
        KubeProxyFlag(name: $0.rawValue, meaning: .action($0))
    }

    private static let refused =
        [
            "enable-dsr", "forward-healthcheck-vip", "network-name", "root-hnsendpoint-name", "source-vip",
            "windows-service",
        ].map { KubeProxyFlag(name: $0, meaning: .refused("it is for Windows")) }
}
