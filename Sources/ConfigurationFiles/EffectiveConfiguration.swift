// A configuration as it is in force, as documents: what /configz shows (MET-2). Each of the two can be read again and
// comes to the same.

import LoadBalancing
package import ServiceModel

package struct EffectiveConfiguration: Sendable {
    private let configuration: AgentConfiguration
    private let settings: NodeSettings

    /// `configuration` with everything in its place that flags have decided; `nodeName` is this node's.
    package init(_ configuration: AgentConfiguration, nodeName: String) {
        self.configuration = configuration
        settings = configuration.nodeSettings(nodeName: nodeName)
    }

    /// Both documents under the names of their groups, as JSON.
    package var json: String {
        JSONFields.text(of: .object(["kubeproxy.config.k8s.io": kubeProxy, "martlet.dev": martlet]))
    }

    // MARK: KubeProxyConfiguration

    /// What was read, with everything in it that has its effect here as it is in force.
    package var kubeProxy: FieldValue {
        var document = FieldTree(configuration.kubeProxyDocument ?? .object([:]))
        func set(_ path: String, _ value: FieldValue) {
            document.set(path.split(separator: ".").map(String.init)[...], value)
        }
        set("apiVersion", .string(KubeProxyFields.apiVersion))
        set("kind", .string(KubeProxyFields.kind))
        set("mode", .string(configuration.proxyMode))
        set("hostnameOverride", .string(settings.nodeName))
        set("bindAddress", .string(settings.bindAddress.map { "\($0)" } ?? "0.0.0.0"))
        set("metricsBindAddress", .string(configuration.metricsAddress.map { "\($0)" } ?? ""))
        set("healthzBindAddress", .string(healthAddress))
        set("bindAddressHardFail", .bool(configuration.bindAddressHardFail))
        set("clientConnection.kubeconfig", .string(configuration.kubeconfig ?? ""))
        set("featureGates.AllowServiceExternalIPs", .bool(settings.externalIPsAllowed))
        set("nodePortAddresses", .array(kubeProxyNodePortAddresses.map { .string($0) }))
        let section = configuration.proxyMode == "nftables" ? "nftables" : "iptables"
        set("\(section).masqueradeAll", .bool(settings.masqueradeAll))
        if section == "iptables" { set("iptables.localhostNodePorts", .bool(settings.localhostNodePorts)) }
        set("detectLocalMode", .string(detectorMode.isEmpty ? "ClusterCIDR" : detectorMode))
        set("clusterCIDR", .string(clusterCIDRs.joined(separator: ",")))
        set("detectLocal.bridgeInterface", .string(bridge))
        set("detectLocal.interfaceNamePrefix", .string(prefix))
        return document.value
    }

    /// What the mode does by itself is left out.
    private var kubeProxyNodePortAddresses: [String] {
        switch settings.nodePortAddresses {
        case .all: configuration.proxyMode == "nftables" ? ["0.0.0.0/0", "::/0"] : []
        case .primary: ["primary"]
        case .ranges(let ranges): ranges.map { "\($0)" }
        }
    }

    private var healthAddress: String {
        switch configuration.health {
        case .byDefault, .nowhere: ""
        case .at(let address): "\(address)"
        }
    }

    // MARK: MartletConfiguration

    package var martlet: FieldValue {
        var document = FieldTree(.object([:]))
        func set(_ path: String, _ value: FieldValue?) {
            guard let value else { return }
            document.set(path.split(separator: ".").map(String.init)[...], value)
        }
        func texts(_ texts: [String]) -> FieldValue { .array(texts.map { .string($0) }) }
        let datapath = configuration.datapath
        set("apiVersion", .string(MartletFields.apiVersion))
        set("kind", .string(MartletFields.kind))
        set("nodePortAddresses", texts(nodePortAddresses))
        set("localhostNodePorts", .bool(settings.localhostNodePorts))
        set("masqueradeAll", .bool(settings.masqueradeAll))
        set("serviceCIDRs", texts(settings.serviceCIDRs.map { "\($0)" }))
        set("algorithm", .string(settings.defaultAlgorithm.rawValue))
        set("forwarding", .string(settings.defaultForwarding.rawValue))
        set("clusterIPFromOutside", .bool(settings.servesClusterIPsOutside))
        set("allowServiceExternalIPs", .bool(settings.externalIPsAllowed))
        set("bindAddress", settings.bindAddress.map { .string("\($0)") })
        set("metricsBindAddress", .string(configuration.metricsAddress.map { "\($0)" } ?? ""))
        set("healthzBindAddress", .string(healthAddress))
        set("bindAddressHardFail", .bool(configuration.bindAddressHardFail))
        set("auditInterval", .string(DurationText.text(of: configuration.auditInterval ?? .zero)))
        set("gracePeriod", .string(DurationText.text(of: configuration.gracePeriod)))
        if settings.localDetector != NodeSettings.LocalDetector.none {
            set("detectLocal.mode", .string(detectorMode))
            if !clusterCIDRs.isEmpty { set("detectLocal.clusterCIDRs", texts(clusterCIDRs)) }
            if !bridge.isEmpty { set("detectLocal.bridgeInterface", .string(bridge)) }
            if !prefix.isEmpty { set("detectLocal.interfaceNamePrefix", .string(prefix)) }
        }
        set("pinFolder", datapath.pinFolder.map { .string($0) })
        set("cgroup", datapath.cgroup.map { .string($0) })
        set("skipCgroups", texts(datapath.skipCgroups))
        set("terminateTCPConnections", .bool(datapath.terminatesTCPConnections))
        set("bindProtection", .bool(datapath.bindProtection))
        set("devices", texts(datapath.devices))
        set("xdp", .string(datapath.xdp))
        set("dsrDispatch", .string(datapath.directReturnDispatch))
        set("tunnelSources", texts(datapath.tunnelSources.map { "\($0)" }))
        set("sourcePorts", .string("\(datapath.sourcePorts.lowerBound)-\(datapath.sourcePorts.upperBound)"))
        for (map, size) in datapath.mapSizes { set("mapSizes.\(map.rawValue)", .integer(Int64(size))) }
        return document.value
    }

    private var nodePortAddresses: [String] {
        switch settings.nodePortAddresses {
        case .all: ["all"]
        case .primary: ["primary"]
        case .ranges(let ranges): ranges.map { "\($0)" }
        }
    }

    // MARK: The local detector

    /// Empty: there is none.
    private var detectorMode: String {
        switch settings.localDetector {
        case .none: ""
        case .clusterCIDR: "ClusterCIDR"
        case .nodeCIDR: "NodeCIDR"
        case .bridgeInterface: "BridgeInterface"
        case .interfaceNamePrefix: "InterfaceNamePrefix"
        }
    }

    private var clusterCIDRs: [String] {
        guard case .clusterCIDR(let ranges) = settings.localDetector else { return [] }
        return ranges.map { "\($0)" }
    }

    private var bridge: String {
        guard case .bridgeInterface(let name) = settings.localDetector else { return "" }
        return name
    }

    private var prefix: String {
        guard case .interfaceNamePrefix(let prefix) = settings.localDetector else { return "" }
        return prefix
    }
}
