// `martlet-bench connect` and the worker that it starts.

import ArgumentParser
import Datapath
import FoundationEssentials
import HostCalls

struct ConnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "What connect() and close() cost on fresh sockets: no hook, empty programs, Martlet.",
        discussion: """
            Every row is timed in every round, by one process; odd rounds go backwards. Rounds are many and short, so \
            that a row and the row it is compared with share the machine's mood. "more" is the median over rounds of the \
            difference from the row compared with: empty programs for Martlet, no hook for empty programs; "+-" is half \
            of that median's 95 % interval. "no hook, once more" shows the noise: it should differ from "no hook" by \
            nothing.

            EXAMPLES
              martlet-bench connect
              martlet-bench connect --rounds 4000 --json
              martlet-bench connect --only "TCP unrouted"
            """)

    @Option(help: "How often each row is timed.")
    var rounds = 1000

    @Option(help: "Sockets for each row and round; their median is the round's figure.")
    var sockets = 40

    @Option(help: "Services in the maps of the larger datapaths, at most 16384.")
    var services = 10_000

    @Option(help: "The processor that dials.")
    var processor = 1

    @Option(help: "Room for connected sockets with reverse state, in each datapath.")
    var connections = MapSizes().connections

    @Option(help: "Only rows whose name contains this, and those they are compared with. May be repeated.")
    var only: [String] = []

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard rounds > 0, sockets > 0, (2...16384).contains(services) else {
            throw ValidationError("--rounds and --sockets must be positive, --services between 2 and 16384")
        }
    }

    func run() async throws {
        let bench = ConnectBench(
            rounds: rounds, sockets: sockets, services: services, connections: connections, processor: processor,
            only: only)
        let report = try await bench.run()
        try output.print(report, text: report.text)
    }
}

/// Started by `connect` in a namespace of the world; reads its plan and prints its times.
struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "worker", shouldDisplay: false)

    @Argument var plan: String

    func run() throws {
        let plan = try JSONDecoder().decode(DialPlan.self, from: Data(try readText(plan).utf8))
        var worker = try DialWorker(plan)
        let results = try JSONEncoder().encode(worker.run())
        print(String(decoding: results, as: UTF8.self))
    }
}
