// `martlet agent`: the daemon.

import Agent
import ArgumentParser
import BPF
import Datapath
import LoadBalancing
import Logging
import Netlink
import NetworkTypes

struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent",
        abstract: "Run the agent: follow the manifests and keep the datapath as they say.",
        discussion: """
            Installs the socket hooks in a cgroup2 directory, or adopts those that an earlier run left in the pin folder, and \
            follows the manifests. Stopping it, however it ends, leaves traffic flowing as programmed; `martlet cleanup` \
            takes the datapath down. Runs as root, or with CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, and CAP_SYS_ADMIN for \
            entering network namespaces.
            """)

    @OptionGroup var input: InputOptions

    @Option(help: ArgumentHelp("Where maps and links are pinned; names this datapath.", valueName: "folder"))
    var pinFolder = PinFolder.conventional.path

    @Option(
        help: ArgumentHelp(
            "The cgroup2 directory whose sockets are served, with all below it. Default: the root of cgroup2.",
            valueName: "directory"))
    var cgroup: String?

    @Option(help: ArgumentHelp("A cgroup2 directory whose sockets are left alone; may be repeated.", valueName: "directory"))
    var skipCgroup: [String] = []

    @Option(help: ArgumentHelp("Where the state file for `martlet status` is written.", valueName: "folder"))
    var stateFolder = "/run/martlet"

    @Option(
        help: ArgumentHelp(
            "How long replaced records stay readable before their space is reused: 500ms, 2s, 1m.", valueName: "duration"),
        transform: duration)
    var gracePeriod = Duration.seconds(30)

    @Option(
        help: ArgumentHelp(
            "How often the maps are compared with what they should hold, and repaired; 0s: never.", valueName: "duration"),
        transform: duration)
    var auditInterval = Duration.seconds(60)

    @Option(
        help: ArgumentHelp(
            "Address and port for /metrics and /healthz; empty for none.", valueName: "address:port"))
    var metricsBindAddress = "127.0.0.1:10249"

    @Option(
        help: ArgumentHelp("trace, debug, info, notice, warning, error or critical.", valueName: "level"),
        transform: { text in
            guard let level = Logger.Level(rawValue: text) else { throw ValidationError("'\(text)' is not a level") }
            return level
        })
    var logLevel: Logger.Level = .info

    func run() async throws {
        var log = Logger(label: "martlet") { StreamLogHandler.standardError(label: $0) }
        log.logLevel = logLevel
        let cookie = try NetworkNamespace.current().cookie()
        var metrics: AddressAndPort?
        if !metricsBindAddress.isEmpty {
            guard let address = AddressAndPort(metricsBindAddress) else {
                throw ValidationError("--metrics-bind-address: '\(metricsBindAddress)' is not an address with a port")
            }
            metrics = address
        }
        guard let cgroup = try cgroup ?? CGroup2.mountPoint() else { throw NoCGroup2() }
        let settings = AgentSettings(
            manifests: input.manifests, node: try input.nodeSettings(),
            datapath: DatapathSettings(
                pinFolder: PinFolder(path: pinFolder), cgroup: cgroup, hostNamespaceCookie: cookie,
                skipCgroups: skipCgroup),
            gracePeriod: gracePeriod, auditInterval: auditInterval == .zero ? nil : auditInterval,
            metricsAddress: metrics, stateFolder: stateFolder)
        try await Daemon(settings: settings, nodeAddresses: try input.addresses(), log: log).run()
    }
}

/// There is nothing to attach to.
private struct NoCGroup2: Error, CustomStringConvertible {
    let description = "no cgroup2 file system is mounted; mount one (mount -t cgroup2 none DIRECTORY) or name a --cgroup"
}

/// A whole number with its unit: `500ms`, `2s`, `1m`, `1h`.
@Sendable private func duration(_ text: String) throws -> Duration {
    let digits = text.prefix { $0.isNumber }
    if let number = Int64(digits), number <= 1_000_000_000 {
        switch text.dropFirst(digits.count) {
        case "ms": return .milliseconds(number)
        case "s": return .seconds(number)
        case "m": return .seconds(number * 60)
        case "h": return .seconds(number * 3600)
        default: break
        }
    }
    throw ValidationError("'\(text)' is not a duration such as 500ms, 2s or 1m")
}
