// kube-proxy's flags on the agent's command line: what cannot be used is a usage error, before anything is touched.

import Foundation
import Testing

@Suite("kube-proxy's flags on the command line")
struct AgentFlagTests {
    @Test(
        "that cannot be used are usage errors that name them",
        arguments: [
            (["--enable-dsr"], "--enable-dsr is not accepted"), (["--no-such-flag=1"], "--no-such-flag=1 is neither"),
            (["--proxy-mode=magic"], "mode: \"magic\" is none of iptables, ipvs and nftables"),
            (["--iptables-masquerade-bit", "32"], "--iptables-masquerade-bit: iptables.masqueradeBit"),
            (["--hostname-override="], "--hostname-override is blank"), (["stray"], "stray is not a flag"),
        ])
    func refusals(_ words: [String], _ message: String) throws {
        let run = try Run(["agent", "--manifests", repository("deploy/examples"), "--device", "none"] + words)
        #expect(run.status == 2, "\(run.errors)")
        #expect(run.errors.contains(message), "\(run.errors)")
    }

    @Test("LIFE-5: --write-config-to writes what is in force, which can be read again, and ends")
    func writeConfiguration() throws {
        try withFile("") { file in
            let run = try Run("agent", "--cluster-cidr=10.0.0.0/8", "--write-config-to", file)
            #expect(run.status == 0, "\(run.errors)")
            let text = try String(contentsOfFile: file, encoding: .utf8)
            #expect(text.contains("clusterCIDR: \"10.0.0.0/8\"\n"))
            #expect(text.contains("apiVersion: \"kubeproxy.config.k8s.io/v1alpha1\"\n"))
            #expect(text.contains("iptables:\n  localhostNodePorts: true\n"))
            let again = try Run("agent", "--config", file, "--write-config-to", file)
            #expect(again.status == 0, "\(again.errors)")
            #expect(try String(contentsOfFile: file, encoding: .utf8) == text)
        }
    }

    @Test("LIFE-5: a MartletConfiguration is not written as kube-proxy's")
    func otherKind() throws {
        try withFile("{apiVersion: martlet.dev/v1alpha1, kind: MartletConfiguration}") { file in
            let run = try Run("agent", "--config", file, "--write-config-to", file + ".new")
            #expect(run.status == 2, "\(run.errors)")
        }
    }
}
