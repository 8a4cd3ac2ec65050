// The command line: nouns read, verbs change. One command to a file; what they print is made in Inspection and
// LoadBalancing. Exit status: 0 done, 1 failed, 2 usage.

import ArgumentParser

@main
struct Martlet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "The service load balancer of a Kubernetes node, in eBPF.",
        version: "0.1.0",
        subcommands: [AgentCommand.self])
}
