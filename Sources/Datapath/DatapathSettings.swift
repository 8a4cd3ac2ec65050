// What the operator decides about the datapath itself: where it is attached and pinned, its sizes, and the constants that
// its programs are loaded with.

package struct DatapathSettings: Sendable {
    package var pinFolder: PinFolder
    /// The cgroup2 directory whose tasks are served, with everything below it.
    package var cgroup: String
    package var sizes: MapSizes
    /// How long nothing is overwritten that a program may still read.
    package var gracePeriod: Duration
    /// SO_NETNS_COOKIE of the node's own network namespace.
    package var hostNamespaceCookie: UInt64
    /// Whether pods count as pod-local, for each family (TP-8).
    package var podsAreLocalIPv4: Bool
    package var podsAreLocalIPv6: Bool
    package var protectNodePorts: Bool
    /// Keep reverse state for connected TCP sockets. No configuration offers to go without: getpeername would show
    /// backends, and `terminatesTCP` would find nothing. It is here for `martlet-bench connect`, which tells its price.
    package var recordTCP: Bool
    /// Destroy TCP sockets of endpoints that stopped serving, as is always done for UDP (decision 6).
    package var terminatesTCP: Bool
    /// cgroup2 directories whose tasks are left alone.
    package var skipCgroups: [String]
    package var packets: PacketSettings

    package init(
        pinFolder: PinFolder, cgroup: String, sizes: MapSizes = MapSizes(), gracePeriod: Duration = .seconds(30),
        hostNamespaceCookie: UInt64,
        podsAreLocalIPv4: Bool = true, podsAreLocalIPv6: Bool = true, protectNodePorts: Bool = true,
        recordTCP: Bool = true, terminatesTCP: Bool = false, skipCgroups: [String] = [],
        packets: PacketSettings = PacketSettings(devices: .none)
    ) {
        self.pinFolder = pinFolder
        self.cgroup = cgroup
        self.sizes = sizes
        self.gracePeriod = gracePeriod
        self.hostNamespaceCookie = hostNamespaceCookie
        self.podsAreLocalIPv4 = podsAreLocalIPv4
        self.podsAreLocalIPv6 = podsAreLocalIPv6
        self.protectNodePorts = protectNodePorts
        self.recordTCP = recordTCP
        self.terminatesTCP = terminatesTCP
        self.skipCgroups = skipCgroups
        self.packets = packets
    }
}
