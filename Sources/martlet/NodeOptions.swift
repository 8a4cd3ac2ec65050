// The input that the agent, plan and explain share: manifests, the node, its configuration and its addresses.

import ArgumentParser
import ConfigurationFiles
import Foundation
import LoadBalancing
import ManifestSource
import NetworkTypes
import ServiceModel

struct ManifestOptions: ParsableArguments {
    /// What is read of manifests.
    static let discussion = """
        Services, EndpointSlices, Nodes and ServiceCIDRs are read, Lists too; other kinds are passed over. Of a directory: its \
        files *.yaml, *.yml and *.json, not those of folders in it, nor hidden ones.
        """

    @Option(
        help: ArgumentHelp(
            "A directory or file of Kubernetes manifests, YAML or JSON.", discussion: ManifestOptions.discussion,
            valueName: "path"))
    var manifests: String

    func validate() throws { try Self.check(manifests) }

    static func check(_ path: String) throws {
        guard !path.isEmpty else { throw ValidationError("--manifests is empty; it must name a directory or a file.") }
    }
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

    func validate() throws {
        guard let node else { return }
        guard node.contains(where: { !$0.isWhitespace }) else {
            throw ValidationError("--node is blank; leave it out for the host's name.")
        }
    }

    /// What the file says, or the defaults without one.
    func configuration() throws -> AgentConfiguration {
        guard let config else { return AgentConfiguration() }
        return try ConfigurationFile(path: config).read()
    }

    /// The same, where kube-proxy's flags may stand for the file; with the content of the file.
    func configuration(instead flags: KubeProxyFlags) throws -> (AgentConfiguration, content: [UInt8]?) {
        if let config {
            let (configuration, bytes) = try ConfigurationFile(path: config).readWithBytes()
            return (configuration, bytes)
        }
        guard let document = flags.document else { return (AgentConfiguration(), nil) }
        do throws(ConfigurationError) {
            return (try AgentConfiguration.decode(document, isOfFlags: true), nil)
        } catch {
            throw ValidationError("\(flags.fieldFlags.joined(separator: " ")): \(error)")
        }
    }

    /// `name` is that of kube-proxy's --hostname-override.
    func nodeSettings(_ configuration: AgentConfiguration, name: String? = nil) throws -> NodeSettings {
        do {
            let name = try NodeName.resolve(
                flag: node ?? name, configuration: configuration, hostname: ProcessInfo.processInfo.hostName)
            return configuration.nodeSettings(nodeName: name)
        } catch {
            throw ValidationError("The node's name from the \(error.field) \(error.message); give --node.")
        }
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
