// `martlet-bench sync`.

import ArgumentParser
import BenchSupport
import HostCalls
import Reconciler
import ServiceModel
import World

struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "From facts to the flipped frontend at scale, and what memory the agent holds.",
        discussion: """
            First in this process, from decoded facts: the planner, the image, the reconciler and the kernel's maps. Then \
            the real agent on a folder with a manifest for each service: its resident memory, and the time from the rename \
            of a manifest to the flipped frontend.

            EXAMPLES
              martlet-bench sync
              martlet-bench sync --services 30000 --changes 200
              martlet-bench sync --no-agent --algorithm maglev --json
            """)

    @Option(help: "Services, with one port each.")
    var services = 10_000

    @Option(help: "Endpoints of each service, none shared.")
    var endpoints = 5

    @Option(
        help: "random or maglev.",
        transform: { text in
            guard let algorithm = Service.Algorithm(rawValue: text) else {
                throw ValidationError("'\(text)' is no algorithm.")
            }
            return algorithm
        })
    var algorithm = Service.Algorithm.random

    @Option(help: "How often the first sync is timed, each time into fresh maps.")
    var repetitions = 7

    @Option(help: "How many changes of one endpoint are timed, in this process and through the agent.")
    var changes = 1000

    @Flag(inversion: .prefixedNo, help: "Whether the real agent is measured as well.")
    var agent = true

    @Option(help: "The martlet binary; by default the one beside this program.")
    var martlet: String?

    @Option(help: "Service ports of a first sync that are programmed at a time; the agent's own number unless given.")
    var piece = ProgrammingBacklog.pieceSize

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard services > 0, piece > 0, endpoints > 1, repetitions > 0, changes > 0 else {
            throw ValidationError(
                "--services, --repetitions, --piece and --changes must be positive, --endpoints at least 2")
        }
    }

    func run() async throws {
        let facts = SyncFacts(services: services, endpoints: endpoints, algorithm: algorithm)
        let program = try martlet ?? Self.neighbour("martlet")
        let report = try await withWorld { world in
            let rig = try DatapathRig(in: world)
            let times = try await SyncBench(facts: facts, repetitions: repetitions, changes: changes, piece: piece).run(
                in: rig)
            let figures = agent ? try AgentBench(facts: facts, changes: changes, program: program).run(in: rig) : nil
            return SyncReport(facts: facts, times: times, agent: figures)
        }
        try output.print(report, text: report.text)
    }

    /// A program beside this one.
    static func neighbour(_ name: String) throws -> String {
        let own = try DatapathRig.program()
        guard let slash = own.lastIndex(of: "/") else { return name }
        return own[..<slash] + "/" + name
    }
}
