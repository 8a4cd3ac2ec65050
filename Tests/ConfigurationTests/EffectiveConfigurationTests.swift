// What /configz shows: documents that come to the same configuration when they are read again.

import ConfigurationFiles
import Foundation
import LoadBalancing
import ManifestSource
import ServiceModel
import Testing

@Suite("The configuration in force")
struct EffectiveConfigurationTests {
    static let martletTexts = [
        "{}",
        """
        {nodePortAddresses: [all], localhostNodePorts: true, masqueradeAll: true, algorithm: maglev, forwarding: dsr,
         serviceCIDRs: [10.96.0.0/12], allowServiceExternalIPs: false, bindAddress: 10.0.0.1, metricsBindAddress: "",
         healthzBindAddress: "", bindAddressHardFail: true, terminateTCPConnections: true, skipCgroups: [/a],
         auditInterval: 0s, gracePeriod: 1500ms, bindProtection: false, cgroup: /c, pinFolder: /p, devices: [eth*, "!eth1"],
         xdp: generic, clusterIPFromOutside: false, tunnelSources: [10.0.0.0/8], sourcePorts: 50000-50100,
         dsrDispatch: option, detectLocal: {mode: ClusterCIDR, clusterCIDRs: [10.0.0.0/16]}, mapSizes: {frontends: 77}}
        """,
        "{nodePortAddresses: [10.0.0.0/8], detectLocal: {mode: BridgeInterface, bridgeInterface: cni0}}",
        "{detectLocal: {mode: InterfaceNamePrefix, interfaceNamePrefix: veth}, healthzBindAddress: '0.0.0.0:10256'}",
        "{detectLocal: {mode: NodeCIDR}}",
    ]

    static let kubeProxyTexts = [
        "{}", "{mode: nftables}", "{mode: nftables, nodePortAddresses: [10.0.0.0/8], nftables: {masqueradeAll: true}}",
        """
        {mode: iptables, clusterCIDR: "10.0.0.0/16,fd00::/64", bindAddress: 10.0.0.1, bindAddressHardFail: true,
         hostnameOverride: node-a, metricsBindAddress: 0.0.0.0:9, healthzBindAddress: 127.0.0.1:8,
         iptables: {masqueradeAll: true, localhostNodePorts: false, syncPeriod: 30s},
         featureGates: {AllowServiceExternalIPs: false}, clientConnection: {kubeconfig: /k, qps: 7}}
        """,
        "{detectLocalMode: BridgeInterface, detectLocal: {bridgeInterface: cni0}, mode: ipvs}",
    ]

    private static func read(_ text: String, _ apiVersion: String, _ kind: String) throws -> AgentConfiguration {
        let document = try #require(try YAMLText.parse(Array(text.utf8)).first).value
        guard case .object(var members) = document else { throw CancellationError() }
        members["apiVersion"] = .string(apiVersion)
        members["kind"] = .string(kind)
        return try AgentConfiguration.decode(.object(members))
    }

    /// What both documents say, apart from themselves.
    private static func comparable(_ configuration: AgentConfiguration) -> AgentConfiguration {
        var configuration = configuration
        configuration.notices = []
        configuration.kubeProxyDocument = nil
        if configuration.health == .byDefault { configuration.health = .nowhere }
        return configuration
    }

    @Test("MET-2: Martlet's own document comes to the same", arguments: martletTexts)
    func martlet(_ text: String) throws {
        let configuration = try Self.read(text, "martlet.dev/v1alpha1", "MartletConfiguration")
        let document = EffectiveConfiguration(configuration, nodeName: "node-a").martlet
        #expect(Self.comparable(try AgentConfiguration.decode(document)) == Self.comparable(configuration))
    }

    @Test(
        "MET-2: kube-proxy's document comes to the same, and keeps what has no effect here", arguments: kubeProxyTexts)
    func kubeProxy(_ text: String) throws {
        var configuration = try Self.read(
            text, "kubeproxy.config.k8s.io/v1alpha1", "KubeProxyConfiguration")
        let document = EffectiveConfiguration(configuration, nodeName: "node-a").kubeProxy
        configuration.hostnameOverride = "node-a"
        #expect(Self.comparable(try AgentConfiguration.decode(document)) == Self.comparable(configuration))
        if text.contains("qps") { #expect(document["clientConnection"]?["qps"] == .integer(7)) }
    }

    @Test("MET-2: the page has both under their groups")
    func page() throws {
        let text = EffectiveConfiguration(AgentConfiguration(), nodeName: "node-a").json
        let page = try #require(try JSONText.parse(Array(text.utf8)).first).value
        #expect(page["kubeproxy.config.k8s.io"]?["mode"] == .string("nftables"))
        #expect(page["kubeproxy.config.k8s.io"]?["nodePortAddresses"] == .array([.string("primary")]))
        #expect(page["martlet.dev"]?["kind"] == .string("MartletConfiguration"))
    }
}
