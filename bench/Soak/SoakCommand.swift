// martlet-soak: connections in flight through everything that happens to an agent (changes of endpoints, kills, restarts,
// an upgrade), and none may fail or be misdirected.

import ArgumentParser
import BenchSupport
import Foundation
import World

@main
struct SoakCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet-soak",
        abstract: "Keeps connections in flight while endpoints change and the agent is killed, restarted and upgraded.",
        discussion: """
            Servers and clients are real processes in network namespaces of their own, the agent is the real one. Loads run \
            over TCP and UDP, IPv4 and IPv6, with a connection for each request and with connections that are held; beside \
            them stand thousands of TCP connections that are asked once in a while, and once more at the end. Failed: an \
            attempt that got no answer. Misdirected: a held connection that another server answered, or a new one that was \
            answered by a server which was in no backend set at the time. Cut: a held UDP socket that was destroyed because \
            its endpoint was removed, so that its owner reconnects at once; that is what should happen.

            The upgrade stops the agent and starts another binary: that of --upgrade, else a copy of the same one under \
            another name and checksum. Either way it exchanges every program under live traffic.

            Needs root; a minute for the short form. Exit status 1 if anything failed or was misdirected.

            EXAMPLES
              martlet-soak
              martlet-soak --requests 200000 --standing 200000
              martlet-soak --upgrade /path/to/newer/martlet --json
            """)

    @Option(help: "Go on until so many requests have been answered; the events are spread over them.")
    var requests = 20_000

    @Option(help: "Connections in flight for each of the eight loads.")
    var concurrency = 8

    @Option(help: "TCP connections that stand through it all, IPv4 and IPv6 in equal parts; at most 250000.")
    var standing = 2000

    @Option(help: "Changes of endpoints.")
    var changes = 20

    @Option(help: "How often the agent is killed (SIGKILL) and started again.")
    var kills = 3

    @Option(help: "The martlet binary; by default the one beside this program.")
    var martlet: String?

    @Option(help: "The binary to upgrade to.")
    var upgrade: String?

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func validate() throws {
        guard requests > 0, concurrency > 0, changes > 0, kills >= 0 else {
            throw ValidationError("--requests, --concurrency and --changes must be positive")
        }
        guard (0...250_000).contains(standing) else {
            throw ValidationError("--standing must be between 0 and 250000")
        }
    }

    func run() async throws {
        let binary = martlet ?? Self.neighbour("martlet")
        guard FileManager.default.isExecutableFile(atPath: binary) else {
            throw ValidationError("\(binary) is not there; build martlet first, or name it with --martlet")
        }
        let script = SoakScript(changes: changes, kills: kills)
        let report = try await withWorld { world in
            let stage = try SoakStage(in: world, binary: binary, upgrade: upgrade, standing: standing)
            return try Soak(
                stage: stage, script: script, requests: requests, concurrency: concurrency, standing: standing,
                isQuiet: json
            ).run()
        }
        let machine = Machine.here(command: CommandLine.arguments)
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            let published = SoakReport.Published(machine: machine, report: report)
            print(String(decoding: try encoder.encode(published), as: UTF8.self))
        } else {
            print(machine.line)
            print(report.text)
        }
        guard report.isClean else { throw ExitCode(1) }
    }

    private static func neighbour(_ name: String) -> String {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent(name).path
    }
}
