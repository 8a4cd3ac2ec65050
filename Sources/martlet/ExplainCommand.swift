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
            kernel. Without, answers from the pinned maps, with the last rule that decided. A UDP connection from \
            'node' or 'localhost' is also really dialled through the programs when this process is in the served \
            cgroup and the node's network namespace: that sends no packet and counts as one connection. The reason \
            says whether it was. What the maps do not hold: source ranges (null in JSON), and whether a ClusterIP's list is \
            the local one (always called cluster).

              --from  pod, node, localhost or external, with the client's address if it matters
              --to    such as 10.96.0.10:53/UDP or [fd00::1]:80/TCP

            Outcomes: dnat (sent to one of the backends), reject (refused at once), drop (silence), notHandled (left \
            as it is). Rules are numbered as in docs/rules.md.

            EXAMPLES
              martlet explain --from pod --to 10.96.0.10:53/UDP
              martlet explain --from external:203.0.113.7 --to 192.0.2.10:443/TCP \\
                --manifests deploy/examples --node worker-1 -o json
            """)

    @Option(help: ArgumentHelp("Who connects.", valueName: "kind[:address]"))
    var from: TrafficSource

    @Option(help: ArgumentHelp("What is dialled.", valueName: "address:port/protocol"))
    var to: FrontendAddress

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
        if let manifests { try ManifestOptions.check(manifests) }
    }

    func run() throws {
        let explanation = try explanation()
        switch format.output {
        case .table: try Console.show(ExplanationPage(explanation).text)
        case .json: try Console.show(JSONText.encode(explanation))
        }
    }

    private func explanation() throws -> Explanation {
        guard let manifests else { return try LiveExplanation.explain(from: from, to: to, in: pin.folder) }
        return try explanation(fromManifests: manifests)
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
