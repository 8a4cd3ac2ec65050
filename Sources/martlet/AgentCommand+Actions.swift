// What kube-proxy's flags have the agent do instead of running: --write-config-to, --cleanup, --init-only.

import Agent
import ArgumentParser
import ConfigurationFiles
import Datapath
import Inspection
import LoadBalancing
import Logging
import ServiceModel
import SystemCalls

extension AgentCommand {
    /// LIFE-5: the KubeProxyConfiguration that would be in force, in a file.
    func writeConfiguration(to path: String, _ flags: KubeProxyFlags) throws {
        let document: FieldValue
        if let config = node.config {
            let file = ConfigurationFile(path: config)
            guard try file.read().kind == .kubeProxy else {
                throw ValidationError("--write-config-to writes a KubeProxyConfiguration, which \(config) is not.")
            }
            document = KubeProxyDefaults.effective(try file.document(), isOfFlags: false)
        } else {
            _ = try node.configuration(instead: flags).0
            document = KubeProxyDefaults.effective(flags.document, isOfFlags: true)
        }
        let file = try OutputFile(path)
        try file.write(Array(BlockYAML.text(withOptions(document, flags)).utf8))
    }

    /// Flags that are options of Martlet's as well, or go before the file.
    private func withOptions(_ document: FieldValue, _ flags: KubeProxyFlags) -> FieldValue {
        guard case .object(var members) = document else { return document }
        if let name = flags.nodeName { members["hostnameOverride"] = .string(name) }
        if let address = healthzBindAddress { members["healthzBindAddress"] = .string(address) }
        if let address = metricsBindAddress { members["metricsBindAddress"] = .string(address) }
        if let file = input.kubeconfig, case .object(var client)? = members["clientConnection"] {
            client["kubeconfig"] = .string(file)
            members["clientConnection"] = .object(client)
        }
        return .object(members)
    }

    /// LIFE-3: as `martlet cleanup` does.
    func cleanUp(_ configuration: AgentConfiguration) throws {
        let folder = (place.pinFolder ?? configuration.datapath.pinFolder).map { PinFolder(path: $0) } ?? .conventional
        let cleanup = try Cleanup.perform(folder, force: false, stateFolder: stateFolder)
        try Console.show(cleanup.text(for: folder))
        for failure in cleanup.failures { Console.diagnose("could not remove \(failure)") }
        guard cleanup.failures.isEmpty else { throw ExitCode(Launcher.Status.failed) }
    }

    /// FLAG-4, for what kube-proxy's users configure.
    func checkFamilies(_ rules: NodeSettings, _ log: Logger) throws {
        let addresses = try node.addresses() ?? NodeAddressMonitor.current()
        // The kernel makes it with the family's first device, which is loopback.
        let hasIPv6 = (try? FileStatus.of("/proc/net/if_inet6")) != nil
        let check = FamilyCheck(rules, addresses: addresses, hasBothFamilies: hasIPv6)
        for notice in check.notices { log.warning("configuration: \(notice)") }
        if let fault = check.fault { throw ValidationError(fault + ".") }
    }

    /// LIFE-2: cgroup2 mounted, programs loaded and verified, maps made, all of it pinned, socket hooks attached; what an
    /// earlier run left is adopted. Devices are not attached to, since only a running agent follows them.
    func setUp(_ settings: DatapathSettings, _ log: Logger) throws {
        let datapath = try Datapath(installing: settings)
        for notice in datapath.notices { log.warning("\(notice)") }
        log.info("the datapath is set up", metadata: ["pin_folder": "\(settings.pinFolder.path)"])
    }
}
