// A node for packets: the real datapath with the real maps, in a network namespace with devices, routes and permanent
// neighbours, whose attached programs are run on packets of ours (BPF_PROG_TEST_RUN). No packet ever leaves.

import BPF
import CLibMNL
import Datapath
import DatapathImage
import Glibc
import KernelTestSupport
import LoadBalancing
import Netlink
import NetworkTypes
import PacketKit
import Reconciler
import ServiceModel
import Testing

final class Lab {
    /// What labs differ in. Tests of one layout share one lab.
    struct Layout: Hashable, Sendable {
        var packets = PacketSettings(devices: .patterns(["eth?"]))
        var flows: UInt32 = 4096
        var detector = NodeSettings.LocalDetector.clusterCIDR(Ground.ranges)
        var masqueradeAll = false
        var servesClusterIPsOutside = true
        /// pod1 is a port of the bridge cbr0, which has the pods' routes.
        var bridgesPods = false
        /// Besides the devices that all labs have: see LabTuns.
        var hasTuns = false

        static func with(_ change: (inout Layout) -> Void) -> Layout {
            var layout = Layout()
            change(&layout)
            return layout
        }
    }

    let layout: Layout
    let datapath: Datapath
    /// By name.
    let devices: [String: UInt32]
    let tuns: LabTuns?
    private let namespace: Int32
    private let pins: ScratchBPFFileSystem
    private let cgroup: ScratchCGroup
    private let programs: AttachedPackets
    var planner: Planner
    var image: DatapathImage
    var known: [FactChange] = []
    /// Packets that programs were run on so far.
    var runs = 0

    /// Makes the calling thread's network namespace another one, the lab's own.
    init(_ layout: Layout) throws {
        guard unshare(CLONE_NEWNET) == 0 else { throw SupportError("there can be no network namespace") }
        namespace = unsafe open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
        self.layout = layout
        try Self.makeDevices(podDevice: layout.bridgesPods ? "cbr0" : "pod1")
        tuns = layout.hasTuns ? try LabTuns() : nil
        pins = try ScratchBPFFileSystem()
        cgroup = try ScratchCGroup(parent: try #require(try CGroup2.mountPoint()))
        let folder = PinFolder(path: pins.path + "/martlet")
        datapath = try Datapath(
            installing: layout.settings(folder, cgroup.path, try NetworkNamespace.current().cookie()))
        guard datapath.notices.isEmpty else { throw SupportError("\(datapath.notices)") }
        image = DatapathImage(limits: try datapath.limits())
        planner = layout.planner()
        let node = planner.servicePlanner.node
        let traffic = NodeTraffic(
            podRanges: PerFamily { layout.detector.range(of: $0, on: node) }, addresses: node.addresses,
            podDevices: layout.detector.devices)
        try datapath.setTraffic(traffic)
        var route = try RouteSocket()
        let list = try route.devices()
        let report = try datapath.follow(list, traffic)
        devices = Dictionary(uniqueKeysWithValues: list.map { ($0.name, $0.index) })
        guard report.devices.filter({ $0.way(.xdp) == .native }).count == 2 else {
            throw SupportError("eth0 and eth1 are not served: \(report)")
        }
        programs = try .open(folder, device: devices["eth0"] ?? 0)
        try perform(image.setServiceCIDRs(planner.serviceCIDRs))
    }

    deinit {
        _ = close(namespace)
    }

    /// Puts the calling thread into the lab's namespace, where its routes are.
    func enter() throws {
        guard setns(namespace, CLONE_NEWNET) == 0 else { throw SupportError("the lab cannot be entered") }
    }

    func program<Value>(of hook: PacketHook, _ body: (borrowing BPFProgram) throws -> Value) rethrows -> Value {
        switch hook {
        case .tcEgress: try body(programs.egress)
        case .tcIngress: try body(programs.ingress)
        case .xdp: try body(programs.xdp)
        }
    }

    func perform(_ transaction: Transaction) throws {
        try datapath.writeSlots(transaction.slots)
        try datapath.writeBackends(transaction.backends)
        try datapath.writeServices(transaction.services)
        try datapath.updateSourceRanges(transaction.sourceRanges)
        try datapath.updateFrontends(transaction.frontends)
        try datapath.updateNodePorts(transaction.nodePorts)
        try datapath.updateServiceCIDRs(transaction.serviceCIDRs)
        try datapath.deleteFrontends(transaction.removedFrontends.map(\.key))
        try datapath.deleteNodePorts(transaction.removedNodePorts)
        try datapath.deleteServiceCIDRs(transaction.removedServiceCIDRs)
        try datapath.deleteSourceRanges(transaction.removedSourceRanges)
        try datapath.deleteServices(transaction.removedServices)
    }
}

/// The programs of a device that has all hooks.
private struct AttachedPackets: ~Copyable {
    let egress: BPFProgram
    let ingress: BPFProgram
    let xdp: BPFProgram

    static func open(_ folder: PinFolder, device: UInt32) throws -> AttachedPackets {
        func open(_ hook: PacketHook) throws -> BPFProgram {
            let link = try BPFLink.open(pinned: "\(folder.path)/links/\(hook.rawValue)_\(device)")
            return try BPFProgram.open(id: link.info().programID)
        }
        return AttachedPackets(egress: try open(.tcEgress), ingress: try open(.tcIngress), xdp: try open(.xdp))
    }
}

extension NodeSettings.LocalDetector {
    /// As the agent tells the packet hooks.
    fileprivate var devices: NodeTraffic.DeviceDetector {
        switch self {
        case .bridgeInterface(let name): .bridge(name)
        case .interfaceNamePrefix(let prefix): .prefix(prefix)
        case .none, .clusterCIDR, .nodeCIDR: .none
        }
    }
}

extension Lab.Layout {
    fileprivate func settings(_ folder: PinFolder, _ cgroup: String, _ namespace: UInt64) -> DatapathSettings {
        DatapathSettings(
            pinFolder: folder, cgroup: cgroup,
            sizes: MapSizes(
                frontends: 4096, backends: 4096, slotWords: 65536, services: 1024, connections: 64, udpPages: 64,
                flows: flows),
            gracePeriod: .milliseconds(1), hostNamespaceCookie: namespace, packets: packets)
    }

    fileprivate func planner() -> Planner {
        let settings = NodeSettings(
            nodeName: Ground.nodeName, localDetector: detector, masqueradeAll: masqueradeAll,
            serviceCIDRs: Ground.serviceCIDRs, servesClusterIPsOutside: servesClusterIPsOutside)
        let addresses = Ground.both.flatMap { [$0.node, $0.nodeAtFarSide] }
        var planner = Planner(settings: settings, nodeAddresses: addresses)
        let node = Node(name: Ground.nodeName, addresses: Ground.both.map(\.node))
        _ = planner.apply([.node(node.name, node)])
        return planner
    }
}

extension Lab {
    /// Devices whose other ends are here as well, and whose neighbours are known for good.
    private static func makeDevices(podDevice: String) throws {
        for setting in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"] {
            guard let file = unsafe fopen("/proc/sys/net/\(setting)", "w") else { throw SupportError(setting) }
            unsafe fputs("1", file)
            unsafe fclose(file)
        }
        try ip(
            """
            link set lo up
            link add eth0 address \(Link.eth0) mtu 1500 type veth peer name wire0
            link add eth1 address \(Link.eth1) mtu 1400 type veth peer name wire1 mtu 1400
            link add pod1 address \(Link.pod1) mtu 1500 type veth peer name wire2
            \(["eth0", "wire0", "eth1", "wire1", "pod1", "wire2"].map {
                "link set \($0) addrgenmode none\nlink set \($0) up"
            }.joined(separator: "\n"))
            """)
        if podDevice != "pod1" {
            try ip(
                """
                link add \(podDevice) type bridge mcast_snooping 0
                link set \(podDevice) addrgenmode none
                link set pod1 master \(podDevice)
                link set \(podDevice) up
                """)
        }
        for ground in Ground.both {
            let v6 = ground.family == .ipv6
            let (length, podLength) = v6 ? (64, 64) : (24, 24)
            let nodad = v6 ? "nodad" : ""
            let far: IPAddress = v6 ? "2001:db8:1::3" : "203.0.113.3"
            try ip(
                """
                addr add \(ground.node)/\(length) dev eth0 \(nodad)
                addr add \(ground.nodeAtFarSide)/\(length) dev eth1 \(nodad)
                neigh add \(ground.gateway) lladdr \(Link.gateway) dev eth0
                neigh add \(ground.otherNode) lladdr \(Link.otherNode) dev eth0
                neigh add \(far) lladdr \(Link.farNode) dev eth1
                neigh add \(ground.localPod) lladdr \(Link.localPod) dev \(podDevice)
                neigh add \(ground.otherLocalPod) lladdr \(Link.otherLocalPod) dev \(podDevice)
                route add \(ground.localPod) dev \(podDevice)
                route add \(ground.otherLocalPod) dev \(podDevice)
                route add \(ground.remotePod.network(podLength)) via \(ground.otherNode)
                route add \(ground.farPod.network(podLength)) via \(far)
                route add throw \(ground.lostPod)
                route add default via \(ground.gateway)
                """)
        }
    }
}

extension IPAddress {
    fileprivate func network(_ length: Int) -> String {
        CIDR(address: self, prefixLength: length).map { "\($0)" } ?? "\(self)"
    }
}
