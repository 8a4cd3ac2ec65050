// The input that the agent, plan and explain share: manifests, the node, its configuration and its addresses.

import ArgumentParser
import LoadBalancing
import NetworkTypes

struct InputOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A directory or file of Kubernetes manifests, YAML or JSON.",
            discussion:
                "Services, EndpointSlices, Nodes and ServiceCIDRs are read, Lists too; other kinds are passed over.",
            valueName: "path"))
    var manifests: String

    @Option(help: ArgumentHelp("This node's name, as in the slices' nodeName.", valueName: "name"))
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

    func nodeSettings() throws -> NodeSettings {
        guard let node else { throw ValidationError("--node must be given.") }
        return NodeSettings(nodeName: node)
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
