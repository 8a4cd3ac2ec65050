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
            kernel. Without, answers from the pinned maps, with the last rule that decided. A UDP connection from 'node' or \
            'localhost' is also really dialled through the programs when this process is in the served cgroup and the \
            node's network namespace: that sends no packet and counts as one connection. The reason says whether it was.

              --from KIND[:ADDRESS]  pod, node, localhost or external; the address is the client's
              --to ADDRESS:PORT/PROTOCOL  such as 10.96.0.10:53/UDP or [fd00::1]:80/TCP

            Outcomes: dnat (sent to one of the backends), reject (refused at once), drop (silence), notHandled (left as it \
            is). Rules are numbered as in docs/rules.md.

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

    @Option(help: ArgumentHelp("With --manifests: this node's name.", valueName: "name"))
    var node: String?

    @Option(help: ArgumentHelp("With --manifests: a configuration file, as the agent takes it.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("With --manifests: the node's own addresses, separated by commas.", valueName: "addresses"))
    var nodeAddresses: String?

    func validate() throws {
        if manifests == nil, node != nil || config != nil || nodeAddresses != nil {
            throw ValidationError("--node, --config and --node-addresses go with --manifests.")
        }
        if manifests != nil, node == nil { throw ValidationError("--manifests needs --node.") }
    }

    func run() throws {
        let explanation = try explanation()
        switch format.output {
        case .table: Console.show(ExplanationPage(explanation).text)
        case .json: Console.show(try JSONText.encode(explanation))
        }
    }

    private func explanation() throws -> Explanation {
        guard let manifests else { return try LiveExplanation.explain(from: from, to: to, in: pin.folder) }
        return try explanation(fromManifests: manifests)
    }

    /// With the input that plan and the agent take, where manifests are not optional.
    private func explanation(fromManifests manifests: String) throws -> Explanation {
        var arguments = ["--manifests", manifests]
        for (name, value) in [("--node", node), ("--config", config), ("--node-addresses", nodeAddresses)] {
            if let value { arguments += [name, value] }
        }
        let reading = try InputOptions.parse(arguments).read()
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
