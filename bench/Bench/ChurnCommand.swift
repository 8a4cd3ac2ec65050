// `martlet-bench churn`.

import ArgumentParser
import BenchSupport
import FoundationEssentials
import HostCalls
import World

struct ChurnCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "churn",
        abstract: "Whether flows stay with their backends while the set of backends changes.",
        discussion: """
            Flows of one service send packets through the shipped XDP program, by test runs, while endpoints come, go and \
            change their weights; the agent's code changes the maps. Every packet must come to the backend that its flow \
            went to first, also when that one has been removed since. DSR and SNAT, IPv4 and IPv6. Fails if one does not.

            EXAMPLES
              martlet-bench churn
              martlet-bench churn --flows 1000 --changes 20 --seed 7
            """)

    @Option(help: "Flows at the beginning.")
    var flows = 10_000

    @Option(help: "Changes of the set.")
    var changes = 50

    @Option(help: "Endpoints at the beginning.")
    var endpoints = 100

    @Option(help: "Of the changes, and of which flows send when.")
    var seed: UInt64 = 1

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard flows > 0, changes > 0, endpoints > 1 else {
            throw ValidationError("--flows and --changes must be positive, --endpoints at least 2")
        }
    }

    func run() async throws {
        let results: [ChurnResult] = try await withWorld { world in
            let rig = try DatapathRig(in: world)
            try rig.node.namespace.configure(PacketPlace.routes)
            return try rig.work(
                "churn-worker",
                ChurnPlan(
                    flows: flows, changes: changes, endpoints: endpoints, seed: seed, pins: rig.pins,
                    cgroup: try rig.makeGroup("churn")))
        }
        var table = TextTable(
            "", "flows", "packets", "misdirected", "of removed", "lost", "records before", "after")
        for result in results {
            table.add(
                "\(result.isIPv6 ? "IPv6" : "IPv4") \(result.forwarding.uppercased())", "\(result.flows)",
                "\(result.packets)", "\(result.misdirected)", "\(result.misdirectedOfRemoved)", "\(result.lost)",
                "\(result.recordsBefore)", "\(result.recordsAfter)")
        }
        try output.print(results, text: table.text)
        guard results.allSatisfy(\.isWhole), results.allSatisfy({ $0.forwarding != "dsr" || $0.recordsBefore == 0 })
        else { throw ExitCode.failure }
    }
}

/// Started by `churn` in a namespace of the world; reads its plan and prints its results.
struct ChurnWorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "churn-worker", shouldDisplay: false)

    @Argument var plan: String

    func run() async throws {
        let plan = try JSONDecoder().decode(ChurnPlan.self, from: Data(try readText(plan).utf8))
        let results = try JSONEncoder().encode(try await ChurnWorker(plan: plan).run())
        print(String(decoding: results, as: UTF8.self))
    }
}
