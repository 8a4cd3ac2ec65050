// Where a datapath is put: its pin folder and its cgroup. Flags go before the configuration file.

import ArgumentParser
import BPF
import Configuration
import Datapath
import LoadBalancing
import Netlink
import NetworkTypes

struct PlaceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where maps and links are pinned; names this datapath. Default: /sys/fs/bpf/martlet.", valueName: "folder"))
    var pinFolder: String?

    @Option(
        help: ArgumentHelp(
            "The cgroup2 directory whose sockets are served, with all below it. Default: the root of cgroup2.",
            valueName: "directory"))
    var cgroup: String?

    @Option(
        help: ArgumentHelp("A cgroup2 directory whose sockets are left alone; may be repeated.", valueName: "directory")
    )
    var skipCgroup: [String] = []

    func datapath(_ configuration: DatapathConfiguration, _ node: NodeSettings) throws -> DatapathSettings {
        DatapathSettings(
            pinFolder: (pinFolder ?? configuration.pinFolder).map { PinFolder(path: $0) } ?? .conventional,
            cgroup: try cgroup ?? configuration.cgroup ?? Self.rootCgroup(), sizes: MapSizes(configuration.mapSizes),
            hostNamespaceCookie: try NetworkNamespace.current().cookie(),
            podsAreLocalIPv4: node.localDetector.exists(in: .ipv4),
            podsAreLocalIPv6: node.localDetector.exists(in: .ipv6), protectNodePorts: configuration.bindProtection,
            terminatesTCP: configuration.terminatesTCPConnections,
            skipCgroups: skipCgroup.isEmpty ? configuration.skipCgroups : skipCgroup)
    }

    /// Mounts cgroup2 at a place of our own if nobody has mounted it anywhere.
    private static func rootCgroup() throws -> String {
        if let path = try CGroup2.mountPoint() { return path }
        let path = "/run/martlet/cgroup2"
        try CGroup2.mount(at: path)
        return path
    }
}

extension MapSizes {
    init(_ chosen: [MapSize: UInt32]) {
        self.init()
        for (map, size) in chosen {
            switch map {
            case .frontends: frontends = size
            case .backends: backends = size
            case .slots: slotWords = size
            case .services: services = size
            case .nodePorts: nodePorts = size
            case .serviceCIDRs: serviceCIDRs = size
            case .connections: connections = size
            case .udpPages: udpPages = size
            case .affinity: affinity = size
            case .eventBytes: eventBytes = size
            }
        }
    }
}

extension NodeSettings.LocalDetector {
    /// Whether pods of this node count as pod-local in the family (TP-8). A detector by interface sees both families, one
    /// by the node's own range those that the node has, which its pods have as well.
    fileprivate func exists(in family: AddressFamily) -> Bool {
        switch self {
        case .none: false
        case .clusterCIDR(let ranges): ranges.contains { $0.family == family }
        case .nodeCIDR, .bridgeInterface, .interfaceNamePrefix: true
        }
    }
}
