// A command line of kube-proxy's: what it comes to, and what is refused.

import ConfigurationFiles
import Foundation
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite("kube-proxy's flags")
struct KubeProxyFlagsTests {
    private static func configuration(_ words: String...) throws -> AgentConfiguration {
        try AgentConfiguration.decode(try #require(try KubeProxyFlags(words).document))
    }

    @Test("have the effect of the fields that they stand for (FLAG-1)")
    func fields() throws {
        let configuration = try Self.configuration(
            "--cluster-cidr=10.0.0.0/14,2002:0:0:1234::/64", "--nodeport-addresses", "192.168.0.0/24,10.0.0.0/8",
            "--masquerade-all", "--proxy-mode=nftables", "--bind-address=192.168.0.2",
            "--feature-gates=AllowServiceExternalIPs=false")
        let settings = configuration.nodeSettings(nodeName: "n")
        #expect(settings.localDetector == .clusterCIDR([CIDR("10.0.0.0/14")!, CIDR("2002:0:0:1234::/64")!]))
        #expect(settings.nodePortAddresses == .ranges([CIDR("192.168.0.0/24")!, CIDR("10.0.0.0/8")!]))
        #expect(settings.masqueradeAll)
        #expect(settings.bindAddress == IPAddress("192.168.0.2"))
        #expect(!settings.externalIPsAllowed)
        #expect(!settings.localhostNodePorts)
    }

    @Test("are checked as the file is (FLAG-3)")
    func validation() throws {
        let document = try #require(try KubeProxyFlags(["--iptables-masquerade-bit=32"]).document)
        #expect(throws: ConfigurationError.self) { try AgentConfiguration.decode(document) }
    }

    @Test("count the last time, with one dash or two, with = or a space; what is on or off needs no value")
    func forms() throws {
        let flags = try KubeProxyFlags([
            "-v", "2", "--v=5", "-hostname-override=Node-A", "--masquerade-all=false", "--masquerade-all",
            "--healthz-port",
            "0", "--metrics-port=9100",
        ])
        #expect(flags.verbosity == 5)
        #expect(flags.nodeName == "Node-A")
        #expect(flags.healthPort == 0)
        #expect(flags.metricsPort == 9100)
        #expect(flags.fieldFlags == ["--masquerade-all", "--masquerade-all"])
        #expect(flags.document?["iptables"]?["masqueradeAll"] == .bool(true))
        #expect(try KubeProxyFlags(["-v=1"]).document == nil)
    }

    @Test("that are lists grow when they are there again, and feature gates are set one by one, as pflag does it")
    func repetition() throws {
        let configuration = try Self.configuration(
            "--nodeport-addresses=192.168.0.0/24", "--nodeport-addresses=10.0.0.0/8,127.0.0.0/8",
            "--feature-gates=AllowServiceExternalIPs=false,Other=true", "--feature-gates=Other=false",
            "--cluster-cidr=10.0.0.0/14", "--cluster-cidr=10.4.0.0/14")
        let settings = configuration.nodeSettings(nodeName: "n")
        let ranges = ["192.168.0.0/24", "10.0.0.0/8", "127.0.0.0/8"].compactMap { CIDR($0) }
        #expect(settings.nodePortAddresses == .ranges(ranges))
        #expect(!settings.externalIPsAllowed)
        #expect(settings.localDetector == .clusterCIDR([CIDR("10.4.0.0/14")!]))
        let gates = try KubeProxyFlags(["--feature-gates=A=true,B=true", "--feature-gates=B=false"]).document
        #expect(gates?["featureGates"] == .object(["A": .bool(true), "B": .bool(false)]))
    }

    @Test("without effect here are named in a warning")
    func notices() throws {
        #expect(try KubeProxyFlags(["--vmodule", "a=1"]).notices.map(\.field) == ["--vmodule"])
        let configuration = try Self.configuration("--conntrack-min=1000", "--oom-score-adj=-998")
        #expect(configuration.notices.map(\.field).sorted().contains("conntrack.min"))
        #expect(configuration.notices.map(\.field).sorted().contains("oomScoreAdj"))
    }

    @Test(
        "that cannot be honoured, are unknown, or have no such value are refused by name",
        arguments: [
            (["--enable-dsr"], "--enable-dsr is not accepted: it is for Windows."),
            (["--init-only=perhaps"], "--init-only 'perhaps' is neither true nor false."),
            (["--write-config-to="], "--write-config-to is empty; it must name a file."),
            (["--no-such"], "--no-such is neither an option of martlet's nor a flag of kube-proxy's."),
            (["word"], "word is not a flag."), (["--cluster-cidr"], "--cluster-cidr needs a value."),
            (["--masquerade-all=maybe"], "--masquerade-all 'maybe' is neither true nor false."),
            (["--conntrack-min", "many"], "--conntrack-min 'many' is not a number."),
            (["--healthz-port=70000"], "--healthz-port '70000' is not a port (0…65535)."),
            (["--hostname-override= "], "--hostname-override is blank."),
        ])
    func refusals(_ words: [String], _ message: String) throws {
        let error = #expect(throws: FlagError.self) { try KubeProxyFlags(words) }
        #expect(error?.description == message)
    }

    @Test("LIFE-2, LIFE-3, LIFE-5: some have something else done; of several the one that kube-proxy does")
    func actions() throws {
        #expect(try KubeProxyFlags(["--cleanup"]).action == .cleanUp)
        #expect(try KubeProxyFlags(["--cleanup=false"]).action == nil)
        #expect(try KubeProxyFlags(["--init-only", "--cleanup"]).action == .cleanUp)
        #expect(try KubeProxyFlags(["--init-only"]).action == .initOnly)
        let flags = try KubeProxyFlags(["--write-config-to", "/tmp/f", "--cleanup"])
        #expect(flags.action == .writeConfiguration(to: "/tmp/f"))
    }

    @Test("FLAG-2, FLAG-3: those of sync periods are for every mode but ipvs; zero is a value there")
    func syncPeriods() throws {
        let nftables = try Self.configuration("--proxy-mode=nftables", "--iptables-min-sync-period=5s")
        #expect(nftables.minimumSyncInterval == .seconds(5))
        #expect(nftables.syncPeriod == .seconds(30))
        let atOnce = try AgentConfiguration.decode(
            try #require(try KubeProxyFlags(["--iptables-min-sync-period=0"]).document), isOfFlags: true)
        #expect(atOnce.minimumSyncInterval == .zero)
        let ipvs = try Self.configuration(
            "--proxy-mode=ipvs", "--iptables-min-sync-period=5s", "--ipvs-sync-period=10s")
        #expect(ipvs.minimumSyncInterval == .zero)
        #expect(ipvs.syncPeriod == .seconds(10))
        let never = try #require(try KubeProxyFlags(["--iptables-sync-period=0s"]).document)
        #expect(
            complaints { try AgentConfiguration.decode(never, isOfFlags: true) } == [
                "iptables.syncPeriod: is not above 0", "nftables.syncPeriod: is not above 0",
            ])
    }

    @Test("are all in docs/kube-proxy-options.md, each once, and nothing else is")
    func table() throws {
        let text = try String(
            contentsOfFile: URL(filePath: #filePath).deletingLastPathComponent().path
                + "/../../docs/kube-proxy-options.md", encoding: .utf8)
        let named = text.split(separator: "\n").compactMap { line -> String? in
            guard line.hasPrefix("| `--") else { return nil }
            return String(line.dropFirst(5).prefix { $0 != "`" })
        }
        let own: Set<String> = [
            "config", "kubeconfig", "master", "kube-api-content-type", "healthz-bind-address", "metrics-bind-address",
            "version",
        ]
        #expect(Set(named) == Set(KubeProxyFlag.all.map(\.name)).union(own))
        #expect(named.count == Set(named).count)
    }
}
