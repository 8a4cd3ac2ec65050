// Where a datapath is put: its pin folder and its cgroup. Flags go before the configuration file.

import ArgumentParser
import BPF
import ConfigurationFiles
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

    @Option(
        name: .customLong("device"),
        help: ArgumentHelp(
            """
            A device that leads out of the node, where packets of clients arrive: a name or a pattern such as eth*, with ! \
            in front to leave it alone; 'auto' for those with a default route or an address of the node, 'none' for no \
            packet hooks at all. May be repeated. Default: auto.
            """, valueName: "pattern"))
    var device: [String] = []

    @Option(
        help: ArgumentHelp(
            "Where packets are served first: 'native' in the driver where it can, 'generic' also behind it, 'off' in TC only. Default: native.",
            valueName: "mode"),
        transform: { text in
            guard let choice = XDPChoice(rawValue: text) else {
                throw ValidationError("'\(text)' is none of native, generic and off.")
            }
            return choice
        })
    var xdp: XDPChoice?

    func datapath(_ configuration: DatapathConfiguration, _ node: NodeSettings) throws -> DatapathSettings {
        DatapathSettings(
            pinFolder: (pinFolder ?? configuration.pinFolder).map { PinFolder(path: $0) } ?? .conventional,
            cgroup: try cgroup ?? configuration.cgroup ?? Self.rootCgroup(), sizes: MapSizes(configuration.mapSizes),
            hostNamespaceCookie: try NetworkNamespace.current().cookie(),
            podsAreLocalIPv4: node.localDetector.exists(in: .ipv4),
            podsAreLocalIPv6: node.localDetector.exists(in: .ipv6), protectNodePorts: configuration.bindProtection,
            terminatesTCP: configuration.terminatesTCPConnections,
            skipCgroups: skipCgroup.isEmpty ? configuration.skipCgroups : skipCgroup,
            packets: packets(configuration))
    }

    /// The configuration with what these options have decided in its place.
    func effective(_ configuration: DatapathConfiguration, _ settings: DatapathSettings) -> DatapathConfiguration {
        var effective = configuration
        effective.pinFolder = settings.pinFolder.path
        effective.cgroup = settings.cgroup
        effective.skipCgroups = settings.skipCgroups
        effective.devices = devices(configuration)
        effective.xdp = settings.packets.xdp.rawValue
        return effective
    }

    private func devices(_ configuration: DatapathConfiguration) -> [String] {
        device.isEmpty ? configuration.devices : device
    }

    private func packets(_ configuration: DatapathConfiguration) -> PacketSettings {
        let devices = devices(configuration)
        let choice: DeviceChoice =
            switch devices {
            case ["auto"]: .automatic
            case ["none"]: .none
            default: .patterns(devices)
            }
        return PacketSettings(
            devices: choice, xdp: xdp ?? XDPChoice(rawValue: configuration.xdp) ?? .native,
            sourcePorts: configuration.sourcePorts,
            tunnelSources: PerFamily { family in configuration.tunnelSources.first { $0.family == family } },
            dispatch: DirectReturnDispatch(rawValue: configuration.directReturnDispatch) ?? .ipip)
    }

    /// Mounts cgroup2 at a place of our own if nobody has mounted it anywhere.
    ///
    /// - Throws: in a container that has not been given the node's tree: what it can mount begins at its own cgroup, with
    ///   nobody's sockets in it.
    private static func rootCgroup() throws -> String {
        if let path = try CGroup2.mountPoint() { return path }
        guard CGroup2.isInFirstNamespace else {
            throw ValidationError(
                "cgroup2 is not mounted here, and this process has a cgroup namespace of its own: mount the node's "
                    + "/sys/fs/cgroup.")
        }
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
            case .sourceRanges: sourceRanges = size
            case .flows: flows = size
            case .eventBytes: eventBytes = size
            }
        }
    }
}
