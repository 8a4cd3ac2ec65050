// kube-proxy's flags on the agent's command line: what cannot be used is a usage error, before anything is touched.

import Testing

@Suite("kube-proxy's flags on the command line")
struct AgentFlagTests {
    @Test(
        "that cannot be used are usage errors that name them",
        arguments: [
            (["--cleanup"], "--cleanup is not accepted"), (["--no-such-flag=1"], "--no-such-flag=1 is neither"),
            (["--proxy-mode=magic"], "mode: \"magic\" is none of iptables, ipvs and nftables"),
            (["--iptables-masquerade-bit", "32"], "--iptables-masquerade-bit: iptables.masqueradeBit"),
            (["--hostname-override="], "--hostname-override is blank"), (["stray"], "stray is not a flag"),
        ])
    func refusals(_ words: [String], _ message: String) throws {
        let run = try Run(["agent", "--manifests", repository("deploy/examples"), "--device", "none"] + words)
        #expect(run.status == 2, "\(run.errors)")
        #expect(run.errors.contains(message), "\(run.errors)")
    }
}
