// The input that the agent, plan and explain share: manifests, the node, its configuration and its addresses.

import ArgumentParser
import Configuration
import Foundation
import LoadBalancing
import ManifestSource
import NetworkTypes
import ServiceModel

struct ManifestOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A directory or file of Kubernetes manifests, YAML or JSON.",
            discussion:
                "Services, EndpointSlices, Nodes and ServiceCIDRs are read, Lists too; other kinds are passed over.",
            valueName: "path"))
    var manifests: String
}

struct NodeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("This node's name, as in the slices' nodeName. Default: the host's name.", valueName: "name")
    )
    var node: String?

    @Option(
        help: ArgumentHelp(
            "A configuration file: MartletConfiguration or KubeProxyConfiguration, YAML or JSON.", valueName: "file"))
    var config: String?

    @Option(
        help: ArgumentHelp(
            "The node's own addresses, separated by commas, instead of those that the kernel or the Node object has.",
            valueName: "addresses"))
    var nodeAddresses: String?

    /// What the file says, or the defaults without one.
    func configuration() throws -> AgentConfiguration {
        guard let config else { return AgentConfiguration() }
        do {
            let documents = try YAMLText.parse(Array(try Data(contentsOf: URL(fileURLWithPath: config))))
            guard let document = documents.first, documents.count == 1 else {
                throw ConfigurationUnusable(file: config, reason: "has \(documents.count) documents, not one")
            }
            return try AgentConfiguration.decode(document.value)
        } catch let problem as TextProblem {
            throw ConfigurationUnusable(
                file: config, reason: problem.line.map { "line \($0): " } ?? "" + problem.message)
        } catch let error as ConfigurationError {
            throw ConfigurationUnusable(file: config, reason: "\(error)")
        } catch let error as CocoaError {
            throw ConfigurationUnusable(file: config, reason: "cannot be read (\(error.localizedDescription))")
        }
    }

    func nodeSettings(_ configuration: AgentConfiguration) throws -> NodeSettings {
        let name = try NodeName.resolve(
            flag: node, configuration: configuration, hostname: ProcessInfo.processInfo.hostName)
        return configuration.nodeSettings(nodeName: name)
    }

    func addresses() throws -> [IPAddress]? {
        try nodeAddresses?.split(separator: ",").map { text in
            let trimmed = text.trimmingSpaces
            guard let address = IPAddress(trimmed) else {
                throw ValidationError("--node-addresses: '\(trimmed)' is not an IP address")
            }
            return address
        }
    }
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        var text = self
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return text
    }
}

/// The configuration file cannot be used: which, and everything that is wrong with it.
struct ConfigurationUnusable: Error, CustomStringConvertible {
    var file: String
    var reason: String
    var description: String { "\(file): \(reason)" }
}
