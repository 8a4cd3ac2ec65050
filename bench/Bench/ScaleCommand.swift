// `martlet-bench scale`.

import ArgumentParser
import Datapath
import FoundationEssentials
import HostCalls
import ServiceModel
import World

struct ScaleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract:
            "100,000 services with NodePorts and 1,000,000 backends: time, memory, and what a look-up costs then.",
        discussion: """
            Every service has a ClusterIP, a NodePort and endpoints of its own, and is forwarded by DSR, so that each has a \
            Maglev table besides. First sync, changes and restart in this process; look-ups of packets (XDP) and of connect() \
            in these maps, in turn with a datapath of two services; then the real agent on as many manifests.

            EXAMPLES
              martlet-bench scale
              martlet-bench scale --no-agent
              martlet-bench scale --services 10000 --endpoints 5
            """)

    @Option(help: "Services: every second one TCP, the others UDP.")
    var services = 100_000

    @Option(help: "Endpoints of each service, none shared.")
    var endpoints = 10

    @Option(help: "How many changes of one endpoint are timed.")
    var changes = 200

    @Option(help: "How often each look-up is timed.")
    var rounds = 51

    @Option(help: "The processor that look-ups are timed on.")
    var processor = 1

    @Flag(inversion: .prefixedNo, help: "Whether the real agent is measured as well.")
    var agent = true

    @Option(help: "The martlet binary; by default the one beside this program.")
    var martlet: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (2...120_000).contains(services), endpoints > 1, changes > 0, rounds > 0 else {
            throw ValidationError(
                "--services must be 2 to 120000 (there are not more ports), --endpoints at least 2, --changes and "
                    + "--rounds positive")
        }
    }

    func run() async throws {
        let large = ScaleBench(facts: facts(services), changes: changes)
        // A service that has changed of late has its flows tracked, and costs more.
        let small = ScaleBench(facts: facts(2), changes: 0)
        let program = try martlet ?? SyncCommand.neighbour("martlet")
        let report = try await withWorld { world in
            let rig = try DatapathRig(in: world)
            try rig.node.namespace.configure(PacketPlace.routes)
            let settings = try [small, large].map { bench in
                DatapathSettings(
                    pinFolder: PinFolder(path: "\(rig.pins)/scale-\(bench.facts.services)"),
                    cgroup: try rig.makeGroup("scale-\(bench.facts.services)"), sizes: bench.sizes,
                    hostNamespaceCookie: 0)
            }
            _ = try await small.run(settings[0])
            let figures = try await large.run(settings[1])
            let lookups = try [packets(rig, settings), connects(rig, settings)]
            for setting in settings { _ = try Datapath.cleanUp(setting.pinFolder) }
            let measured =
                agent
                ? try AgentBench(
                    facts: large.facts, changes: changes, program: program, configuration: large.configuration
                ).run(in: rig) : nil
            return ScaleReport(large.facts, figures, lookups, agent: measured)
        }
        try output.print(report, text: report.text)
    }

    private func facts(_ services: Int) -> SyncFacts {
        SyncFacts(services: services, endpoints: endpoints, algorithm: .maglev, isOutside: true)
    }

    /// To NodePorts of TCP services: the even ones.
    private func packets(_ rig: DatapathRig, _ settings: [DatapathSettings]) throws -> ScaleReport.Lookup {
        let facts = facts(services)
        let middle = services / 4 * 2
        let all = stride(from: 0, to: services, by: 2).map { facts.nodePort($0) }
        let rows = [
            ScaleLookup(name: "small", folder: settings[0].pinFolder.path, nodePorts: [facts.nodePort(0)]),
            ScaleLookup(name: "large", folder: settings[1].pinFolder.path, nodePorts: [facts.nodePort(middle)]),
            ScaleLookup(name: "in turn", folder: settings[1].pinFolder.path, nodePorts: all),
        ]
        let times: ScaleLookupTimes = try rig.work(
            "scale-worker", ScaleLookupPlan(lookups: rows, rounds: rounds, packets: 10_000, processor: processor))
        return ScaleReport.Lookup(
            "packet to a NodePort (XDP, DSR)", small: times["small"] ?? [], large: times["large"] ?? [],
            inTurn: times["in turn"] ?? [])
    }

    /// To ClusterIPs of UDP services, the odd ones: connect() sends nothing there.
    private func connects(_ rig: DatapathRig, _ settings: [DatapathSettings]) throws -> ScaleReport.Lookup {
        let facts = facts(services)
        let row = { (name: String, place: Int, services: [Int]) in
            DialCase(
                name: name, group: settings[place].cgroup, transport: .udp,
                addresses: services.map { facts.addressText($0) }, port: SyncFacts.port)
        }
        let cases = [
            row("small", 0, [1]), row("large", 1, [services / 4 * 2 + 1]),
            row("in turn", 1, Array(stride(from: 1, to: services, by: 2))),
        ]
        let results = try rig.dial(
            DialPlan(
                cases: cases, rounds: rounds, sockets: 500, warmUp: 50, processor: processor,
                listenPort: ServiceFill.backendPort, namespace: rig.node.namespace.path,
                listenNamespace: rig.node.namespace.path))
        let times = { (name: String) in results[name]?.connect ?? [] }
        return ScaleReport.Lookup(
            "connect() to a ClusterIP (UDP)", small: times("small"), large: times("large"), inTurn: times("in turn"))
    }
}

/// Started by `scale` in the node's namespace; reads its plan and prints its times.
struct ScaleWorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "scale-worker", shouldDisplay: false)

    @Argument var plan: String

    func run() async throws {
        let plan = try JSONDecoder().decode(ScaleLookupPlan.self, from: Data(try readText(plan).utf8))
        let times = try JSONEncoder().encode(try ScaleLookupWorker(plan: plan).run())
        print(String(decoding: times, as: UTF8.self))
    }
}
