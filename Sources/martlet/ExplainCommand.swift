// `martlet explain`: what becomes of one connection, and why. The answer comes from manifests (LoadBalancing) or from
// what is programmed (Inspection); this file chooses between the two.

import ArgumentParser
import Inspection
import LoadBalancing

struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Explain what becomes of one connection, and why.",
        discussion: """
            With --manifests and --node, answers from the manifests alone, with every rule that decides; touches no \
            kernel. Without, answers from the pinned maps, with the rules that the records still tell (not those that \
            chose among endpoints), and through the real programs, in the node's network namespace:

            Packets of 'external' (and SCTP of 'pod'): one packet, from the given address or else one of documentation, \
            goes through XDP and TC in a test run. Nothing is sent, and the flow and affinity records that it makes are \
            removed again; the node's and the service's counters keep it, and a monitor or a capture shows it. A pod's \
            address may be given to 'external' too: that of a machine whose sockets nobody sees.

            Sockets of 'node' and 'localhost': a UDP connection is really dialled when this process is in the served \
            cgroup. That sends no packet either, and counts as one connection. Those of 'pod' are not played.

            The reason says what was done. When the programs do something else than the records say, it says so, and the \
            exit status is 1.

              --from  pod, node, localhost or external, with the client's address if it matters
              --to    such as 10.96.0.10:53/UDP or [fd00::1]:80/TCP

            PATH is the hook that finishes such packets: socket, xdp or tc (tc where some of the backends need it), or \
            none. JSON has what the packet programs did in "program": null where they were not asked.

            Outcomes: dnat (sent to one of the backends), reject (refused at once), drop (silence), notHandled (left \
            as it is). Rules are numbered as in docs/rules.md.

            EXAMPLES
              martlet explain --from pod --to 10.96.0.10:53/UDP
              martlet explain --from external:203.0.113.7 --to 192.0.2.10:443/TCP --interface eth0
              martlet explain --from external:203.0.113.7 --to 192.0.2.10:443/TCP \\
                --manifests deploy/examples --node worker-1 -o json
            """)

    @Option(help: ArgumentHelp("Who connects.", valueName: "kind[:address]"))
    var from: TrafficSource

    @Option(help: ArgumentHelp("What is dialled.", valueName: "address:port/protocol"))
    var to: FrontendAddress

    @Option(
        help: ArgumentHelp(
            "The device that a packet comes in by. Default: the first that is likely.", valueName: "name"))
    var interface: String?

    @OptionGroup var pin: PinFolderOptions
    @OptionGroup var format: OutputOptions

    @Option(help: ArgumentHelp("Answer from these manifests instead of the pinned maps.", valueName: "path"))
    var manifests: String?

    @OptionGroup(title: "With --manifests") var node: NodeOptions

    func validate() throws {
        let isAboutManifests = node.node != nil || node.config != nil || node.nodeAddresses != nil
        if manifests == nil, isAboutManifests {
            throw ValidationError("--node, --config and --node-addresses go with --manifests.")
        }
        if manifests != nil, interface != nil {
            throw ValidationError("--interface is for answers from the pinned maps, not from --manifests.")
        }
        if let manifests { try ManifestOptions.check(manifests) }
    }

    func run() throws {
        guard let manifests else { return try explainFromMaps() }
        let explanation = try explanation(fromManifests: manifests)
        switch format.output {
        case .table: try Console.show(ExplanationPage(explanation).text)
        case .json: try Console.show(JSONText.encode(explanation))
        }
    }

    private func explainFromMaps() throws {
        let answer = try LiveExplanation.explain(from: from, to: to, at: interface, in: pin.folder)
        switch format.output {
        case .table: try Console.show(ExplanationPage(answer.explanation, answer.program).text)
        case .json: try Console.show(JSONText.encode(answer))
        }
        guard !answer.agrees else { return }
        Console.diagnose("the real programs do not do what the records say: \(answer.explanation.reason)")
        throw ExitCode(Launcher.Status.failed)
    }

    private func explanation(fromManifests manifests: String) throws -> Explanation {
        let reading = try node.read(manifests: manifests)
        for problem in reading.problems { Console.diagnose("\(problem)") }
        return reading.planner.explain(from: from, to: to)
    }
}

extension TrafficSource: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}

extension FrontendAddress: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
