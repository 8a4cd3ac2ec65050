// Reading the shared input at once, for the commands that answer from manifests alone.

import ArgumentParser
import ConfigurationFiles
import LoadBalancing
import ManifestSource
import NetworkTypes
import ServiceModel

/// What the manifests come to on this node.
struct ManifestReading {
    var planner: Planner
    var problems: [SourceProblem]
}

extension NodeOptions {
    /// What the configuration file says that its author may not expect goes to standard error.
    ///
    /// - Throws: when the manifests cannot be read at all; problems of single objects are in the result.
    func read(manifests: String) throws -> ManifestReading {
        let contents = Manifests.once(path: manifests)
        if let obstacle = contents.obstacle { throw ManifestsUnreadable(path: manifests, obstacle: obstacle) }
        let configuration = try configuration()
        for notice in configuration.notices { Console.diagnose("configuration: \(notice)") }
        var planner = Planner(settings: try nodeSettings(configuration), nodeAddresses: try addresses())
        _ = planner.apply(contents.facts.map(\.change))
        return ManifestReading(planner: planner, problems: contents.problems)
    }
}

struct ManifestsUnreadable: Error, CustomStringConvertible {
    var path: String
    var obstacle: String
    var description: String { "\(path): \(obstacle)" }
}
