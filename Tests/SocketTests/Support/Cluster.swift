// What the scenarios play on: a node with servers and a client, the real agent on it, and services that are published
// and changed through manifests, as users do. A change is in force when the call that made it returns.

import BPF
import Datapath
import DatapathImage
import Foundation
import HostCalls
import NetworkTypes
import ProbeProtocol
import World

/// What did not come about.
struct ClusterError: Error, CustomStringConvertible {
    let description: String
}

/// One node's world with its agent. Belongs to one task.
final class Cluster {
    /// How a cluster differs from the usual one.
    struct Layout: Sendable {
        var servers = 3
        var zone: String? = "zone-a"
        /// Whether the Node object tells its addresses; without them node ports are served on all (NP-3).
        var tellsAddresses = true
        /// A pod's cgroup to leave out, by the pod's name; it is made beside the client.
        var skippedPod: String?
        /// Whether ServiceCIDRs are known.
        var serviceCIDRs: [String] = []
        var startsAgent = true
        var agentOptions: [String] = []
    }

    let world: World
    let node: Node
    /// A pod that only dials.
    let client: Probe
    /// web-1, web-2, …: each serves TCP and UDP on 8080, all addresses.
    let servers: [Probe]
    let skippedPod: Probe?
    let layout: Layout
    private let pins: String
    private(set) var manifests: Manifests
    private(set) var agent: ChildProcess?
    private var maps: DatapathMaps?
    private var number = 0

    static let nodeName = "worker-1"

    init(_ layout: Layout = Layout(), in world: World) throws {
        self.world = world
        self.layout = layout
        node = try world.addNode(Self.nodeName, zone: layout.zone, addresses: ["192.168.50.1", "fd50::1"])
        let node = node
        servers = try (1...layout.servers).map { number in
            let pod = try node.addPod("web-\(number)", addresses: ["10.0.1.1\(number)", "fd00:1::1\(number)"])
            try pod.serveEcho()
            return pod
        }
        client = try node.addPod("client", addresses: ["10.0.1.100", "fd00:1::100"])
        skippedPod = try layout.skippedPod.map { try node.addPod($0, addresses: ["10.0.1.101", "fd00:1::101"]) }
        pins = try world.mountPins() + "/martlet"
        manifests = Manifests(folder: try world.makeFolder("manifests"))
        manifests.setNode(
            Self.nodeName, zone: layout.zone, addresses: layout.tellsAddresses ? node.addresses : [],
            podCIDRs: ["10.0.1.0/24", "fd00:1::/64"])
        if !layout.serviceCIDRs.isEmpty { manifests.setServiceCIDRs(layout.serviceCIDRs) }
        if layout.startsAgent { try startAgent() }
    }

    var pinFolder: PinFolder { PinFolder(path: pins) }

    /// The servers as endpoints, all ready.
    var endpoints: [EndpointObject] { servers.map { EndpointObject($0) } }

    // MARK: The agent

    /// Starts the agent and returns when it has programmed everything that is published.
    func startAgent() throws {
        var arguments = [
            "agent", "--manifests", manifests.folder, "--node", Self.nodeName, "--pin-folder", pins, "--cgroup",
            node.group.path, "--state-folder", world.folder, "--metrics-bind-address", "",
        ]
        if let skippedPod { arguments += ["--skip-cgroup", skippedPod.group.path] }
        agent = try node.spawn(try Self.martlet(), arguments + layout.agentOptions)
        try apply()
    }

    /// Ends the agent at once; what it programmed stays.
    func killAgent() throws {
        try agent?.kill()
        agent = nil
    }

    /// The binary beside the test bundle.
    static func martlet() throws -> String {
        for image in [imagePath(), "/proc/self/exe"].compactMap({ $0 }) {
            let path = URL(fileURLWithPath: image).resolvingSymlinksInPath().deletingLastPathComponent()
                .appendingPathComponent("martlet").path
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        throw ClusterError(description: "the martlet binary is not beside the tests; build it first")
    }

    // MARK: Publishing

    /// A service of its own on every kind of frontend, TCP and UDP 80, with a name and addresses that no other one of
    /// this cluster has. Not published yet.
    func makeService(nodePort: Bool = false, external: Bool = false, families: [AddressFamily] = [.v4, .v6]) -> ServiceObject {
        number += 1
        let nodePort: UInt16 = nodePort ? 30000 + UInt16(number) : 0
        func choose(_ v4: String, _ v6: String) -> [String] { families.map { $0 == .v6 ? v6 : v4 } }
        return ServiceObject(
            name: "service-\(number)", clusterIPs: choose("172.30.0.\(number)", "fd99::\(number)"),
            ports: [
                .init(name: "tcp", transport: .tcp, number: 80, nodePort: nodePort),
                .init(name: "udp", transport: .udp, number: 80, nodePort: nodePort),
            ],
            externalIPs: external ? choose("192.0.2.\(number)", "2001:db8::\(number)") : [],
            loadBalancerIPs: external ? choose("203.0.113.\(number)", "2001:db8:1::\(number)") : [])
    }

    /// Publishes a service, or another version of it, with ready endpoints.
    func publish(_ service: ServiceObject, _ endpoints: [EndpointObject]) throws {
        try publish(service, slices: [SliceObject(endpoints)])
    }

    func publish(_ service: ServiceObject, slices: [SliceObject]) throws {
        manifests.set(service, slices)
        try apply()
    }

    func remove(_ service: ServiceObject) throws {
        manifests.remove(service)
        try apply()
    }

    /// Changes what is published, all at once. Without an agent it is only written.
    func change(_ body: (inout Manifests) -> Void) throws {
        body(&manifests)
        try apply()
    }

    /// Returns when everything that follows from earlier changes has been done as well, such as destroying sockets: the
    /// agent does one thing after the other.
    func settle() throws { try apply() }

    private func apply() throws {
        try manifests.write()
        guard let agent else { return }
        let marker = FrontendKey(
            AddressAndPort(address: IPAddress(Manifests.markerAddress)!, port: manifests.version), protocol: .tcp)
        let isApplied = try eventually(within: .seconds(20), every: .milliseconds(2)) { () throws in
            if let status = agent.exitStatus {
                throw ClusterError(description: "the agent ended with \(status):\n\(agent.errorOutput)")
            }
            return try withMaps { maps in try maps.frontends.lookup(marker) != nil } ?? false
        }
        guard isApplied else {
            throw ClusterError(description: "version \(manifests.version) is not in force:\n\(agent.errorOutput)")
        }
    }

    // MARK: Looking inside

    /// Nil while there is no datapath yet.
    func withMaps<Result>(_ body: (borrowing DatapathMaps) throws -> Result) throws -> Result? {
        if maps == nil { maps = try? DatapathMaps.open(pinFolder) }
        guard maps != nil else { return nil }
        return try body(maps!)
    }
}

extension Probe {
    /// Serves TCP and UDP on a port, on all addresses.
    func serveEcho(port: UInt16 = 8080) throws {
        try serve(.tcp, port: port)
        try serve(.udp, port: port)
    }

    /// `ask` of an address with its port.
    func ask(
        _ transport: Transport, _ to: SocketAddress, family: AddressFamily? = nil, count: Int = 1,
        timeout: Duration = .seconds(2), requestSize: Int = 0, replySize: Int = 0, unconnected: Bool = false
    ) throws -> Answers {
        try ask(
            transport, to.address, to.port, family: family, count: count, timeout: timeout, requestSize: requestSize,
            replySize: replySize, unconnected: unconnected)
    }

    /// `connect` to an address with its port.
    func connect(
        _ transport: Transport, _ to: SocketAddress, family: AddressFamily? = nil, timeout: Duration = .seconds(2)
    ) throws -> Connection {
        try connect(transport, to.address, to.port, family: family, timeout: timeout)
    }
}
