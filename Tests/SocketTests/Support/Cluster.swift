// What the scenarios play on: a node with servers and a client, the real agent on it, and services that are published
// and changed through manifests, as users do. A change is in force when the call that made it returns.

import Foundation
import HostCalls
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
        /// The node's name, and the number that its addresses and its pods' have in them. Of a second node the pods'
        /// names begin with its name.
        var name = "worker-1"
        var subnet = 1
        var servers = 3
        var zone: String? = "zone-a"
        /// Whether the Node object tells its addresses; without them node ports are served on all (NP-3).
        var tellsAddresses = true
        /// The name of a pod beside the client whose cgroup is left out; nil: there is none.
        var skippedPod: String?
        /// Whether there is another node, worker-2, without an agent but with a server, far-1.
        var hasRemoteServer = false
        /// Those that a ServiceCIDR object names.
        var serviceCIDRs: [String] = []
        var startsAgent = true
        var agentOptions: [String] = []
        /// Fields of the MartletConfiguration, as YAML lines. The usual one recognises this node's pods (MASQ-9).
        var configuration = ["detectLocal: {mode: NodeCIDR}"]
    }

    let world: World
    let node: Node
    /// A pod that only dials.
    let client: Probe
    /// web-1, web-2, …: each serves TCP and UDP on 8080, all addresses.
    let servers: [Probe]
    /// On another node, where the layout has one.
    let remoteServer: Probe?
    let skippedPod: Probe?
    let layout: Layout
    private let pins: String
    private let stateFolder: String
    private(set) var manifests: Manifests
    private(set) var agent: ChildProcess?
    let maps: ProgrammedMaps
    private var number = 0

    /// The node's name.
    var name: String { layout.name }
    var podCIDRs: [String] { ["10.0.\(layout.subnet).0/24", "fd00:\(layout.subnet)::/64"] }

    init(_ layout: Layout = Layout(), in world: World) throws {
        self.world = world
        self.layout = layout
        let subnet = layout.subnet
        let node = try world.addNode(
            layout.name, zone: layout.zone, addresses: ["192.168.50.\(subnet)", "fd50::\(subnet)"])
        let prefix = subnet == 1 ? "" : "\(layout.name)-"
        self.node = node
        servers = try (1...layout.servers).map { number in
            let addresses = ["10.0.\(subnet).1\(number)", "fd00:\(subnet)::1\(number)"]
            let pod = try node.addPod("\(prefix)web-\(number)", addresses: addresses)
            try pod.serveEcho()
            return pod
        }
        client = try node.addPod("\(prefix)client", addresses: ["10.0.\(subnet).100", "fd00:\(subnet)::100"])
        remoteServer = layout.hasRemoteServer ? try Self.makeRemoteServer(in: world) : nil
        skippedPod = try layout.skippedPod.map { try node.addPod($0, addresses: ["10.0.1.101", "fd00:1::101"]) }
        pins = try world.mountPins("\(prefix)bpf") + "/martlet"
        maps = ProgrammedMaps(pinFolder: pins)
        manifests = Manifests(folder: try world.makeFolder("\(prefix)manifests"))
        stateFolder = try world.makeFolder("\(prefix)state")
        manifests.setNode(
            layout.name, zone: layout.zone, addresses: layout.tellsAddresses ? node.addresses : [], podCIDRs: podCIDRs)
        if !layout.serviceCIDRs.isEmpty { manifests.setServiceCIDRs(layout.serviceCIDRs) }
        if layout.startsAgent { try startAgent() }
    }

    private static func makeRemoteServer(in world: World) throws -> Probe {
        let other = try world.addNode("worker-2", zone: "zone-b", addresses: ["192.168.50.2", "fd50::2"])
        let pod = try other.addPod("far-1", addresses: ["10.0.2.11", "fd00:2::11"])
        try pod.serveEcho()
        return pod
    }

    /// The servers of this node as endpoints, all ready.
    var endpoints: [EndpointObject] { servers.map { EndpointObject($0, on: name) } }

    /// The addresses of the server with a name.
    func address(of server: String) -> [String] {
        servers.first { $0.name == server }?.addresses ?? []
    }

    /// The server on the other node as an endpoint.
    var remoteEndpoint: EndpointObject {
        get throws {
            guard let remoteServer else { throw ClusterError(description: "this cluster has no other node") }
            return EndpointObject(remoteServer, on: "worker-2")
        }
    }

    /// Who answers a pod and a host process at an address that the node itself serves meanwhile, as "untouched": that
    /// name alone, when nobody translates the address for them. Failures are among the names.
    func answersOnNode(_ dial: Dial, at address: SocketAddress) throws -> Set<String> {
        let placed = "\(address.address)/\(dial.family == .v6 ? 128 : 32)"
        let isOwn = node.addresses.contains(address.address)
        if !isOwn { try node.addAddress(placed, to: "lo") }
        defer { if !isOwn { try? node.removeAddress(placed, from: "lo") } }
        let server = try node.host.serve(
            dial.transport, port: address.port, address: address.address, as: "untouched")
        defer { try? server.stop() }
        let answers = try [client, node.host].map { try $0.ask(dial, address, count: 3) }
        return answers.reduce(into: []) { $0.formUnion($1.names.union($1.errors.keys)) }
    }

    // MARK: The agent

    /// Starts the agent and returns when it has programmed everything that is published.
    func startAgent() throws {
        agent = try spawnAgent()
        try apply()
    }

    /// Starts an agent and returns at once.
    func spawnAgent() throws -> ChildProcess {
        var arguments = [
            "agent", "--manifests", manifests.folder, "--node", name, "--pin-folder", pins, "--cgroup", node.group.path,
            "--state-folder", stateFolder, "--metrics-bind-address", "", "--device", "none", "--config",
            try writeConfiguration(),
        ]
        if let skippedPod { arguments += ["--skip-cgroup", skippedPod.group.path] }
        return try node.spawn(try Self.martlet(), arguments + layout.agentOptions)
    }

    private func writeConfiguration() throws -> String {
        let lines = ["apiVersion: martlet.dev/v1alpha1", "kind: MartletConfiguration"] + layout.configuration
        return try world.write(lines.joined(separator: "\n") + "\n", to: "\(layout.name).yaml")
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
    func makeService(nodePort: Bool = false, external: Bool = false, families: [AddressFamily] = [.v4, .v6])
        -> ServiceObject
    {
        number += 1
        let nodePort: UInt16 = nodePort ? 30000 + UInt16(number) : 0
        func choose(_ v4: String, _ v6: String) -> [String] { families.map { $0 == .v6 ? v6 : v4 } }
        return ServiceObject(
            name: "service-\(number)",
            clusterIPs: choose("172.30.\(number / 256).\(number % 256)", "fd99::\(number)"),
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

    /// Forgets what other tests have published: the next publishing removes it.
    func startAfresh() { manifests.removeServices() }

    /// Changes what the next publishing tells the agent.
    func prepare(_ body: (inout Manifests) -> Void) {
        body(&manifests)
    }

    /// Publishes what is prepared. When this returns, everything that follows from earlier changes has been done as well,
    /// such as destroying sockets: the agent does one thing after the other.
    func settle() throws { try apply() }

    private func apply() throws {
        try manifests.write()
        guard let agent else { return }
        let isApplied = try eventually(within: .seconds(20), every: .milliseconds(2)) { () throws in
            if let status = agent.exitStatus {
                throw ClusterError(description: "the agent ended with \(status):\n\(agent.errorOutput)")
            }
            return try maps.hold(Manifests.markerAddress, port: manifests.version)
                && !maps.hold(Manifests.markerAddress, port: manifests.version - 1)
        }
        guard isApplied else {
            throw ClusterError(description: "version \(manifests.version) is not in force:\n\(agent.errorOutput)")
        }
    }
}
