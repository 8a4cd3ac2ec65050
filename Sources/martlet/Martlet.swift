// The command line: nouns read, verbs change. One command to a file; what they print is made in Inspection and
// LoadBalancing. Exit status: 0 done, 1 failed, 2 usage.

import Agent
import ArgumentParser

@main
struct Martlet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet",
        abstract: "The service load balancer of a Kubernetes node, in eBPF.",
        version: Version.current,
        subcommands: [
            AgentCommand.self, PlanCommand.self, ServicesCommand.self, BackendsCommand.self, FrontendsCommand.self,
            FlowsCommand.self, StatusCommand.self, ExplainCommand.self, MonitorCommand.self, CaptureCommand.self,
            DoctorCommand.self, TakeoverCommand.self, RetreatCommand.self, CleanupCommand.self, SchemaCommand.self,
        ])

    static func main() async {
        await Launcher.run(Self.self)
    }
}
