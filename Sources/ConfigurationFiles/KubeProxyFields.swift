// Every field of `kubeproxy.config.k8s.io/v1alpha1` `KubeProxyConfiguration`, and whether Martlet uses it.

enum KubeProxyFields {
    static let apiVersion = "kubeproxy.config.k8s.io/v1alpha1"
    static let kind = "KubeProxyConfiguration"

    struct Section {
        var path: String
        /// Fields that have their effect.
        var used: Set<String>
        /// Fields that are accepted.
        var notUsed: Set<String>
    }

    /// Sections are fields of the first one. featureGates has no fixed fields.
    static let sections = [
        Section(
            path: "",
            used: [
                "apiVersion", "kind", "mode", "nodePortAddresses", "clusterCIDR", "detectLocalMode", "detectLocal",
                "iptables", "nftables", "ipvs", "hostnameOverride", "bindAddress", "featureGates", "metricsBindAddress",
                "healthzBindAddress", "bindAddressHardFail", "clientConnection", "conntrack", "logging", "winkernel",
            ],
            notUsed: [
                "enableProfiling", "showHiddenMetricsForVersion",
                "oomScoreAdj", "configSyncPeriod", "portRange", "windowsRunAsService", "udpIdleTimeout",
            ]),
        Section(path: "detectLocal", used: ["bridgeInterface", "interfaceNamePrefix"], notUsed: []),
        Section(
            path: "iptables", used: ["masqueradeAll", "localhostNodePorts", "syncPeriod", "minSyncPeriod"],
            notUsed: ["masqueradeBit"]),
        Section(
            path: "nftables", used: ["masqueradeAll", "syncPeriod", "minSyncPeriod"], notUsed: ["masqueradeBit"]),
        Section(
            path: "ipvs", used: ["syncPeriod", "minSyncPeriod"],
            notUsed: [
                "scheduler", "excludeCIDRs", "strictARP", "tcpTimeout", "tcpFinTimeout",
                "udpTimeout",
            ]),
        Section(
            path: "clientConnection", used: ["kubeconfig", "contentType", "qps", "burst"],
            notUsed: ["acceptContentTypes"]),
        Section(
            path: "conntrack", used: [],
            notUsed: [
                "maxPerCore", "min", "tcpEstablishedTimeout", "tcpCloseWaitTimeout", "tcpBeLiberal", "udpTimeout",
                "udpStreamTimeout",
            ]),
        Section(path: "logging", used: [], notUsed: ["format", "flushFrequency", "verbosity", "vmodule", "options"]),
        Section(
            path: "winkernel", used: [],
            notUsed: ["networkName", "sourceVip", "enableDSR", "rootHnsEndpointName", "forwardHealthCheckVip"]),
    ]
}
