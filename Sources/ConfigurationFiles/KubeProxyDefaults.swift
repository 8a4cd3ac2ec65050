// The KubeProxyConfiguration that is in force: kube-proxy's defaults, and over them what a file or flags say (LIFE-5).

package import ServiceModel

package enum KubeProxyDefaults {
    /// Every field with its value. Unknown fields of the document are left out.
    ///
    /// - Parameter isOfFlags: as in `AgentConfiguration.decode`.
    package static func effective(_ document: FieldValue?, isOfFlags: Bool) -> FieldValue {
        overlay(fields, document ?? .null, isOfFlags: isOfFlags)
    }

    private static func overlay(_ standard: FieldValue, _ given: FieldValue, isOfFlags: Bool) -> FieldValue {
        guard given != .null else { return standard }
        guard case .object(let defaults) = standard, case .object(let members) = given else { return given }
        guard !defaults.isEmpty else { return given }
        return .object(
            Dictionary(
                uniqueKeysWithValues: defaults.map { name, standard in
                    guard let value = members[name], value != .null else { return (name, standard) }
                    if !isOfFlags, zeroIsDefault.contains(name), isZero(value) { return (name, standard) }
                    return (name, overlay(standard, value, isOfFlags: isOfFlags))
                }))
    }

    /// The fields whose type cannot tell an absent value from zero, so that zero is the default.
    private static let zeroIsDefault: Set<String> = [
        "syncPeriod", "minSyncPeriod", "configSyncPeriod", "qps", "burst", "bindAddress", "healthzBindAddress",
        "metricsBindAddress", "contentType",
    ]

    private static func isZero(_ value: FieldValue) -> Bool {
        switch value {
        case .string(let text): text.isEmpty || DurationText.parse(text) == .zero
        case .integer(let number): number == 0
        case .number(let number): number == 0
        case .null, .bool, .array, .object: false
        }
    }

    private static let fields = FieldValue.object([
        "apiVersion": .string(KubeProxyFields.apiVersion),
        "kind": .string(KubeProxyFields.kind),
        "bindAddress": .string("0.0.0.0"),
        "bindAddressHardFail": .bool(false),
        "clientConnection": .object([
            "acceptContentTypes": .string(""), "burst": .integer(10),
            "contentType": .string("application/vnd.kubernetes.protobuf"), "kubeconfig": .string(""),
            "qps": .integer(5),
        ]),
        "clusterCIDR": .string(""),
        "configSyncPeriod": .string("15m0s"),
        "conntrack": .object([
            "maxPerCore": .integer(32768), "min": .integer(131_072), "tcpBeLiberal": .bool(false),
            "tcpCloseWaitTimeout": .string("1h0m0s"), "tcpEstablishedTimeout": .string("24h0m0s"),
            "udpStreamTimeout": .string("0s"), "udpTimeout": .string("0s"),
        ]),
        "detectLocal": .object(["bridgeInterface": .string(""), "interfaceNamePrefix": .string("")]),
        "detectLocalMode": .string("ClusterCIDR"),
        "enableProfiling": .bool(false),
        "featureGates": .object([:]),
        "healthzBindAddress": .string("0.0.0.0:10256"),
        "hostnameOverride": .string(""),
        "iptables": .object([
            "localhostNodePorts": .bool(true), "masqueradeAll": .bool(false), "masqueradeBit": .integer(14),
            "minSyncPeriod": .string("1s"), "syncPeriod": .string("30s"),
        ]),
        "ipvs": .object([
            "excludeCIDRs": .array([]), "minSyncPeriod": .string("0s"), "scheduler": .string(""),
            "strictARP": .bool(false), "syncPeriod": .string("30s"), "tcpFinTimeout": .string("0s"),
            "tcpTimeout": .string("0s"), "udpTimeout": .string("0s"),
        ]),
        "metricsBindAddress": .string("127.0.0.1:10249"),
        "mode": .string("iptables"),
        "nftables": .object([
            "masqueradeAll": .bool(false), "masqueradeBit": .integer(14), "minSyncPeriod": .string("1s"),
            "syncPeriod": .string("30s"),
        ]),
        "nodePortAddresses": .array([]),
        "oomScoreAdj": .integer(-999),
        "portRange": .string(""),
        "showHiddenMetricsForVersion": .string(""),
    ])
}
