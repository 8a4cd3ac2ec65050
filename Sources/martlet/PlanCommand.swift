// `martlet plan`: what this node would program, from manifests alone.

import ArgumentParser
import Inspection
import LoadBalancing
import ManifestSource
import ServiceModel

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Print what this node would program, from manifests alone.",
        discussion: """
            Applies every Kubernetes rule for this node and prints each service port with its frontends and the endpoints \
            that each kind of client would get, and the problems of the input. Touches no kernel and needs no privilege.

              FRONTEND  kind and address
              INTERNAL  what this node's processes get, and pods where a detector recognises them: cluster or local
                        list, reject or drop
              EXTERNAL  what everybody else gets, pods included where there is no detector (TP-8)

            EXAMPLES
              martlet plan --manifests deploy/examples --node worker-1
              martlet plan --manifests deploy/examples --node worker-2 -o json
            """)

    @OptionGroup var input: ManifestOptions
    @OptionGroup var node: NodeOptions
    @OptionGroup var format: OutputOptions

    func run() throws {
        let reading = try node.read(manifests: input.manifests)
        let report = PlanReport(
            node: reading.planner.settings.nodeName, servicePorts: reading.planner.servicePorts,
            problems: reading.problems.map(\.asObjectProblem) + reading.planner.problems)
        switch format.output {
        case .table:
            try Console.show(PlanTable(report).text)
            for problem in report.problems { Console.diagnose("\(problem.object): \(problem.message)") }
        case .json:
            try Console.show(JSONText.encode(report))
        }
    }
}

extension SourceProblem {
    /// With its place in the files as the object where nothing else names it.
    fileprivate var asObjectProblem: ObjectProblem {
        var problem = self.problem
        guard let file = place else { return problem }
        let place = document.map { "\(file), document \($0)" } ?? file
        if problem.object.isEmpty {
            problem.object = place
        } else {
            problem.message += " (\(place))"
        }
        return problem
    }
}
