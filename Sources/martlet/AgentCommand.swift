// `martlet agent`: the daemon.

import Agent
import ArgumentParser
import BPF
import ConfigurationFiles
import Datapath
import Glibc
import KubernetesClient
import LoadBalancing
import Logging
import Netlink
import NetworkTypes
import SystemCalls

struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Run the agent: follow an API server or manifests, and keep the datapath as they say.",
        discussion: """
            Installs the socket hooks in a cgroup2 directory, or adopts those that an earlier run left in the pin folder, and \
            follows the API server of its pod, that of a kubeconfig file, or a folder of manifests. While an API server \
            cannot be reached, traffic goes on as it was programmed last. Stopping it, however it ends, leaves traffic flowing as programmed; 'martlet cleanup' \
            takes the datapath down. Flags go before the configuration file. SIGTERM and SIGINT stop it; SIGHUP is ignored, \
            since everything is followed as it changes. A MartletConfiguration is followed as well: what can take effect at \
            once does, and the log names what takes effect at the next start. With a KubeProxyConfiguration that changes, \
            the agent ends with status 1, as kube-proxy does.

            Needs root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON; and CAP_SYS_ADMIN and CAP_SYS_PTRACE for finding sockets \
            of removed endpoints in the network namespaces of pods.

            EXAMPLES
              martlet agent
              martlet agent --kubeconfig /etc/kubernetes/martlet.conf --node worker-1
              martlet agent --manifests /etc/martlet --node worker-1
              martlet agent --manifests /etc/martlet --config /etc/martlet.yaml --log-level debug
              martlet agent --manifests web.yaml --cgroup /sys/fs/cgroup/lab --pin-folder /sys/fs/bpf/lab
            """)

    @OptionGroup var input: SourceOptions
    @OptionGroup var node: NodeOptions
    @OptionGroup var place: PlaceOptions

    @Option(help: ArgumentHelp("Where the state file for 'martlet status' is written.", valueName: "folder"))
    var stateFolder = "/run/martlet"

    @Option(
        help: ArgumentHelp(
            "How long replaced records stay readable before their space is reused: 2s, 1m; at least 1s. Default: 30s.",
            valueName: "duration"),
        transform: graceDuration)
    var gracePeriod: Duration?

    @Option(
        help: ArgumentHelp(
            "How often the maps are compared with what they should hold, and repaired; 0s: never. Default: 1m.",
            valueName: "duration"),
        transform: duration)
    var auditInterval: Duration?

    @Option(
        help: ArgumentHelp(
            "Address and port for /metrics and /healthz; empty for none. Default: 127.0.0.1:10249.",
            valueName: "address:port"))
    var metricsBindAddress: String?

    @Option(
        help: ArgumentHelp(
            "Address and port where load balancers ask for /healthz and /livez; empty for none. Default: 0.0.0.0:10256 "
                + "with an API server or a KubeProxyConfiguration, else none.",
            valueName: "address:port"))
    var healthzBindAddress: String?

    @Option(
        help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"),
        transform: { text in
            guard let level = Logger.Level(rawValue: text) else { throw ValidationError("'\(text)' is not a level.") }
            return level
        })
    var logLevel: Logger.Level?

    @Flag(
        help: ArgumentHelp(
            "Once everything is programmed, do as 'martlet takeover' does: remove kube-proxy's rules, and leave "
                + "connections that they translate to the kernel. Once for a datapath: rules that come later stay."))
    var takeover = false

    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp(
            "Flags of kube-proxy's, as in docs/kube-proxy-options.md; without --config they stand for one.",
            valueName: "kube-proxy flag"))
    var kubeProxyFlags: [String] = []

    func run() async throws {
        do {
            try await runDaemon()
        } catch {
            guard NotPermitted.isBehind(error) else { throw error }
            throw NotPermitted(cause: error)
        }
    }

    private func runDaemon() async throws {
        HangUp.ignore()
        let flags = try readFlags()
        let level = LogLevel(logLevel ?? flags.logLevel ?? .info)
        let log = Logger(label: "martlet") { VisibleLogHandler(label: $0, level: level) }
        if case .writeConfiguration(let path) = flags.action { return try writeConfiguration(to: path, flags) }
        let (configuration, content) = try node.configuration(instead: flags)
        if flags.action == .cleanUp { return try cleanUp(configuration) }
        if logLevel == nil, flags.logLevel == nil, let said = configuration.level { level.current = said }
        for notice in flags.notices + configuration.notices { log.warning("configuration: \(notice)") }
        if node.config != nil, !flags.fieldFlags.isEmpty {
            log.warning(
                "flags are ignored, since there is a configuration file, as by kube-proxy",
                metadata: ["flags": "\(flags.fieldFlags.joined(separator: " "))"])
        }
        let source = flags.action == .initOnly ? nil : try input.settings(configuration)
        let rules = try node.nodeSettings(configuration, name: flags.nodeName)
        var datapath = try place.datapath(configuration.datapath, rules)
        datapath.gracePeriod = gracePeriod ?? configuration.gracePeriod
        guard let source else { return try setUp(datapath, log) }
        var settings = AgentSettings(
            source: source, node: rules, datapath: datapath,
            auditInterval: auditInterval.map { $0 == .zero ? nil : $0 } ?? configuration.auditInterval,
            metricsAddress: try metricsAddress(configuration, flags),
            healthAddress: try healthAddress(configuration, source, flags),
            stateFolder: stateFolder, takesOver: takeover)
        settings.bindHardFail = configuration.bindAddressHardFail
        settings.pages = AgentPages(
            proxyMode: configuration.proxyMode,
            configuration: EffectiveConfiguration(effective(configuration, settings), nodeName: rules.nodeName).json,
            words: Array(CommandLine.arguments.dropFirst(2)))
        settings.minimumSyncInterval = configuration.minimumSyncInterval
        settings.syncPeriod = configuration.syncPeriod
        settings.requestBudget = RequestBudget(
            perSecond: configuration.requestsPerSecond, burst: configuration.requestBurst)
        if configuration.kind == .kubeProxy { try checkFamilies(rules, log) }
        let reload = node.config.map { file in
            ConfigurationReload(
                file: file, first: configuration, nodeName: rules.nodeName, auditInterval: settings.auditInterval,
                hasAuditOption: auditInterval != nil, gracePeriod: gracePeriod, fixedLevel: logLevel ?? flags.logLevel,
                level: level, log: log)
        }
        try await Daemon(
            settings: settings, nodeAddresses: try node.addresses(),
            configuration: reload.flatMap { reload in content.map { reload.follower($0) } }, log: log
        ).run()
    }

    /// The configuration with what flags have decided in its place.
    private func effective(_ configuration: AgentConfiguration, _ settings: AgentSettings) -> AgentConfiguration {
        var effective = configuration
        effective.kubeconfig = input.kubeconfig ?? configuration.kubeconfig
        effective.metricsAddress = settings.metricsAddress
        effective.health = settings.healthAddress.map { .at($0) } ?? .nowhere
        effective.auditInterval = settings.auditInterval
        effective.gracePeriod = settings.datapath.gracePeriod
        effective.datapath = place.effective(configuration.datapath, settings.datapath)
        return effective
    }

    private func readFlags() throws -> KubeProxyFlags {
        do throws(FlagError) {
            return try KubeProxyFlags(kubeProxyFlags)
        } catch {
            throw ValidationError("\(error)")
        }
    }

    private func metricsAddress(_ configuration: AgentConfiguration, _ flags: KubeProxyFlags) throws -> AddressAndPort?
    {
        if let text = metricsBindAddress { return try Self.address(text, "--metrics-bind-address") }
        return configuration.metricsAddress.flatMap { $0.atPort(flags.metricsPort) }
    }

    private func healthAddress(
        _ configuration: AgentConfiguration, _ source: FactSourceSettings, _ flags: KubeProxyFlags
    ) throws -> AddressAndPort? {
        if let text = healthzBindAddress { return try Self.address(text, "--healthz-bind-address") }
        return healthAddress(configuration, source)?.atPort(flags.healthPort)
    }

    private func healthAddress(_ configuration: AgentConfiguration, _ source: FactSourceSettings) -> AddressAndPort? {
        switch configuration.health {
        case .at(let address): return address
        case .nowhere: return nil
        case .byDefault: break
        }
        switch source {
        // An appliance opens nothing that nobody has asked for.
        case .manifests: return nil
        case .kubernetes: return AddressAndPort(address: IPAddress(ipv4: 0), port: 10256)
        }
    }

    /// Nil when empty.
    private static func address(_ text: String, _ option: String) throws -> AddressAndPort? {
        guard !text.isEmpty else { return nil }
        guard let address = AddressAndPort(text) else {
            throw ValidationError("\(option): '\(text)' is not an address with a port.")
        }
        return address
    }
}

extension AddressAndPort {
    /// With another port, nowhere for 0, and as it is for nil (FLAG-5).
    fileprivate func atPort(_ port: UInt16?) -> AddressAndPort? {
        guard let port else { return self }
        return port == 0 ? nil : AddressAndPort(address: address, port: port)
    }
}

extension KubeProxyFlags {
    /// kube-proxy is chatty from 4 on.
    /// Nil when they do not say.
    fileprivate var logLevel: Logger.Level? {
        switch verbosity {
        case nil: nil
        case .some(..<4): .info
        case .some(..<7): .debug
        case .some: .trace
        }
    }
}

/// The kernel refused something that needs a privilege; says which ones the agent needs.
private struct NotPermitted: Error, CustomStringConvertible {
    let cause: any Error

    var description: String {
        """
        \(cause). The agent needs root, or CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, CAP_SYS_ADMIN and CAP_SYS_PTRACE
        """
    }

    /// EPERM only: EACCES is also what the verifier says.
    static func isBehind(_ error: any Error) -> Bool {
        switch error {
        case DatapathError.kernel(let error): error.errno == EPERM
        case let error as BPFError: error.errno == EPERM
        case let error as NetlinkError: error.errno == EPERM
        default: false
        }
    }
}

@Sendable private func graceDuration(_ text: String) throws -> Duration {
    let period = try duration(text)
    guard period >= AgentConfiguration.leastGracePeriod else {
        throw ValidationError("'\(text)' is less than 1s: programs may still be reading what would be reused.")
    }
    return period
}

/// As in configuration files: `500ms`, `2s`, `1m30s`.
@Sendable private func duration(_ text: String) throws -> Duration {
    guard let duration = DurationText.parse(text), duration >= .zero else {
        throw ValidationError("'\(text)' is not a duration such as 500ms, 2s or 1m.")
    }
    return duration
}
