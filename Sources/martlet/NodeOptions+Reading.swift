// Reading the shared input at once, for the commands that answer from manifests alone.

import ArgumentParser
import Configuration
import LoadBalancing
import ManifestSource
import NetworkTypes
import ServiceModel

/// What the manifests come to on this node.
struct ManifestReading {
    var planner: Planner
    var problems: [ManifestProblem]
}

extension NodeOptions {
    /// - Throws: when the manifests cannot be read at all; problems of single objects are in the result.
    func read(manifests: String) throws -> ManifestReading {
        let contents = Manifests.once(path: manifests)
        if contents.facts.isEmpty, let problem = contents.problems.first(where: { $0.file == manifests }) {
            throw ManifestsUnreadable(problem: problem)
        }
        var planner = Planner(settings: try nodeSettings(try configuration()), nodeAddresses: try addresses())
        _ = planner.apply(contents.facts.map(\.change))
        return ManifestReading(planner: planner, problems: contents.problems)
    }
}

struct ManifestsUnreadable: Error, CustomStringConvertible {
    var problem: ManifestProblem
    var description: String { "\(problem)" }
}
