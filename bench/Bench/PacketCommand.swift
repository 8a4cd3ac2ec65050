// `martlet-bench packet`.

import ArgumentParser
import FoundationEssentials
import HostCalls
import World

struct PacketCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "packet",
        abstract: "What the XDP program costs for each packet, against the least that answers a packet.",
        discussion: """
            Test runs of the shipped program on maps that the agent's code has filled. A prologue puts the packet back \
            before each run and walks through flows and services; what it costs is measured and taken off. "floor" parses \
            Ethernet, IP and TCP, swaps the addresses and sends the packet back; "empty" does nothing, and its cost, the \
            test run's own included, is in the others. Times are the least of all rounds; ratios are medians over loads of \
            the programs.

            EXAMPLES
              martlet-bench packet
              martlet-bench packet --loads 5 --json
              martlet-bench packet --only "IPv6 SNAT"
            """)

    @Option(help: "How often the programs are loaded.")
    var loads = 3

    @Option(help: "How often each row is timed in each load.")
    var rounds = 16

    @Option(help: "Packets for each figure.")
    var packets = 10_000

    @Option(help: "The processor that the programs run on.")
    var processor = 1

    @Option(help: "Only rows whose name contains this. May be repeated.")
    var only: [String] = []

    @Option(help: "An object file to measure in place of the shipped program, to try things out.")
    var object: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard loads > 0, rounds > 0, packets > 1 else {
            throw ValidationError("--loads and --rounds must be positive, --packets at least 2")
        }
    }

    func run() async throws {
        let cases = PacketCase.all.filter { packet in
            only.isEmpty || only.contains { packet.name.contains($0) }
        }
        let report = try await withWorld { world in
            let rig = try DatapathRig(in: world)
            try rig.node.namespace.configure(PacketPlace.routes)
            let plan = PacketPlan(
                cases: cases, loads: loads, rounds: rounds, packets: packets, processor: processor, pins: rig.pins,
                cgroup: try rig.makeGroup("packet"), object: object)
            return PacketReport(cases: cases, results: try rig.work("packet-worker", plan))
        }
        try output.print(report, text: report.text)
    }
}

/// Started by `packet` in a namespace of the world; reads its plan and prints its times.
struct PacketWorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "packet-worker", shouldDisplay: false)

    @Argument var plan: String

    func run() async throws {
        let plan = try JSONDecoder().decode(PacketPlan.self, from: Data(try readText(plan).utf8))
        let results = try JSONEncoder().encode(try await PacketWorker(plan).run())
        print(String(decoding: results, as: UTF8.self))
    }
}
