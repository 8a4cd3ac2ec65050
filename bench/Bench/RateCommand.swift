// `martlet-bench rate`.

import ArgumentParser
import FoundationEssentials
import HostCalls
import World

struct RateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rate",
        abstract: "Frames a second from namespace to namespace through the node, against plain XDP redirect.",
        discussion: """
            A client's namespace sends frames (live-frame test runs) to services; the node's XDP program, attached to veth \
            devices as the agent attaches it, sends them on in tunnels (DSR) or translated (SNAT); the backend's namespace \
            counts what arrives. Replies go the other way. In turn with it, under the same links, a program that does \
            nothing but redirect every frame to the other device. All on one processor: sending, the cables and counting \
            are in both rates.

            EXAMPLES
              martlet-bench rate
              martlet-bench rate --rounds 51 --only "IPv6 DSR"
            """)

    @Option(help: "How often each row is timed.")
    var rounds = 31

    @Option(help: "Frames for each figure.")
    var frames = 300_000

    @Option(help: "The processor that everything runs on.")
    var processor = 1

    @Option(help: "Only rows whose name contains this. May be repeated.")
    var only: [String] = []

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard rounds > 0, frames > 0 else { throw ValidationError("--rounds and --frames must be positive") }
    }

    func run() async throws {
        let cases = RateCase.all.filter { rate in only.isEmpty || only.contains { rate.name.contains($0) } }
        let report = try await withWorld { world in
            let rig = try DatapathRig(in: world)
            let client = try world.addClient(
                RatePlace.client, addresses: RatePlace.clientAddresses, behind: rig.node)
            let backend = try world.addClient(
                RatePlace.backend, addresses: RatePlace.backendAddresses, behind: rig.node)
            try rig.node.namespace.configure(RatePlace.routes)
            let plan = RatePlan(
                cases: cases, rounds: rounds, frames: frames, processor: processor, pins: rig.pins,
                cgroup: try rig.makeGroup("rate"), node: rig.node.namespace.path, client: client.namespace.path,
                backend: backend.namespace.path)
            return RateReport(plan, try rig.work("rate-worker", plan))
        }
        try output.print(report, text: report.text)
    }
}

/// Started by `rate` in the node's namespace; reads its plan and prints its rates.
struct RateWorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rate-worker", shouldDisplay: false)

    @Argument var plan: String

    func run() async throws {
        let plan = try JSONDecoder().decode(RatePlan.self, from: Data(try readText(plan).utf8))
        let results = try JSONEncoder().encode(try await RateWorker(plan).run())
        print(String(decoding: results, as: UTF8.self))
    }
}
