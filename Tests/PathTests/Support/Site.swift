// Two nodes with the real agent on each, as clients from outside meet them: pods that serve on both, a client on the
// network beside them, and a machine on the first node whose sockets no hook sees. Services are manifests that both
// agents read; a change is in force when the call that made it returns.

import Foundation
import HostCalls
import ProbeProtocol
import World

struct SiteError: Error, CustomStringConvertible {
    let description: String
}

/// Belongs to one task.
final class Site {
    let world: World
    /// The nodes, whose pods are `a1` and `b1`. Clients come to the first.
    let near: Node
    let far: Node
    let a1: Probe
    let b1: Probe
    /// On the fabric beside the nodes; its way to virtual addresses is by the first node.
    let client: Probe
    /// Behind the first node with a pod's address, and outside of the agent's cgroup: a virtual machine.
    let machine: Probe
    private let manifests: String
    private(set) var agents: [ChildProcess?] = []
    private let pins: [String]
    private var version: UInt16 = 0

    /// Backends listen here, TCP and UDP.
    static let backendPort: UInt16 = 8080

    /// `isAlone`: the first node has no agent before ``startAgent(_:)``.
    init(in world: World, configuration: [String] = [], isAlone: Bool = false) throws {
        self.world = world
        near = try world.addNode("near", addresses: ["192.168.50.1", "fd50::1"])
        far = try world.addNode("far", addresses: ["192.168.50.2", "fd50::2"])
        a1 = try near.addPod("a1", addresses: ["10.0.1.11", "fd00:1::11"])
        b1 = try far.addPod("b1", addresses: ["10.0.2.11", "fd00:2::11"])
        client = try world.addFabricClient("client", addresses: ["192.168.50.9", "fd50::9"], router: near)
        machine = try world.addClient("machine", addresses: ["10.0.1.50", "fd00:1::50"], behind: near)
        for node in [near, far] { _ = try world.makeFolder("\(node.name)-state") }
        // The network knows where pods are, and machines behind a node only where it is told.
        for address in machine.addresses {
            let gateway = address.contains(":") ? near.v6 : near.v4
            _ = try far.run("/usr/sbin/ip", ["route", "add", address, "via", gateway])
        }
        manifests = try world.makeFolder("manifests")
        pins = [try world.mountPins("near-bpf") + "/martlet", try world.mountPins("far-bpf") + "/martlet"]
        for pod in [a1, b1] {
            for transport in [Transport.tcp, .udp] { try pod.serve(transport, port: Self.backendPort) }
        }
        let file = try world.write(
            (["apiVersion: martlet.dev/v1alpha1", "kind: MartletConfiguration", "detectLocal: {mode: NodeCIDR}"]
                + configuration).joined(separator: "\n"), to: "martlet.yaml")
        try publish([])
        agents = try [near, far].enumerated().map { index, node in
            isAlone && index == 0 ? nil : try start(node, pins[index], file)
        }
    }

    /// Starts the first node's agent, with these options besides.
    func startAgent(_ options: [String] = []) throws {
        agents[0] = try start(near, pins[0], "\(world.folder)/martlet.yaml", options)
        try waitForMarker()
    }

    /// Starts it and kills it a little later, wherever it is then.
    func startAgent(_ options: [String], killedAfter time: Duration) throws {
        let agent = try start(near, pins[0], "\(world.folder)/martlet.yaml", options)
        usleep(UInt32(time / .microseconds(1)))
        try agent.kill()
    }

    private func start(
        _ node: Node, _ pins: String, _ file: String, _ options: [String] = []
    ) throws -> ChildProcess {
        try node.spawn(
            Self.martlet(),
            [
                "agent", "--manifests", manifests, "--node", node.name, "--pin-folder", pins, "--cgroup",
                node.group.path, "--state-folder", "\(world.folder)/\(node.name)-state",
                "--metrics-bind-address", "", "--config", file, "--log-level", "debug",
            ] + options, name: "agent-\(node.name)")
    }

    /// The binary that was built with the tests.
    private static func martlet() throws -> String {
        for image in [imagePath(), "/proc/self/exe"].compactMap({ $0 }) {
            let path = URL(fileURLWithPath: image).resolvingSymlinksInPath().deletingLastPathComponent()
                .appendingPathComponent("martlet").path
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        throw SiteError(description: "the martlet binary is not beside the tests; build it first")
    }

    /// Has both agents take these services in, and no others. The marker's port is the version: when it refuses at both
    /// nodes, everything before it is in force.
    func publish(_ services: [PublishedService]) throws {
        version += 1
        let marker = PublishedService(name: "zz-marker", clusterIPs: ["10.96.255.255", "fd96::ffff"], port: version)
        let nodes = [(near, 1), (far, 2)].map { node, number in
            """
            apiVersion: v1
            kind: Node
            metadata: {name: \(node.name)}
            spec: {podCIDRs: ["10.0.\(number).0/24", "fd00:\(number)::/64"]}
            status: {addresses: [{type: InternalIP, address: "\(node.v4)"}, {type: InternalIP, address: "\(node.v6)"}]}
            """
        }
        let text = (nodes + (services + [marker]).map(\.manifest)).joined(separator: "\n---\n")
        let draft = try world.write(text, to: "draft.yaml")
        guard unsafe rename(draft, "\(manifests)/site.yaml") == 0 else {
            throw SiteError(description: "the manifests cannot be replaced")
        }
        guard !agents.isEmpty else { return }
        try waitForMarker()
    }

    /// A service without endpoints refuses at once; other ports of its address do as well, so the name is asked for.
    func waitForMarker() throws {
        for (index, node) in [near, far].enumerated() where agents[index] != nil {
            let isThere = try eventually(within: .seconds(20)) {
                let listing = try node.run(
                    Self.martlet(), ["frontends", "-o", "json", "--pin-folder", pins[index]])
                return listing.output.contains("\"fd96::ffff\"") && listing.output.contains(":\(version)")
                    || listing.output.contains("[fd96::ffff]:\(version)")
            }
            guard isThere else {
                throw SiteError(
                    description:
                        "the agent of \(node.name) has not taken the manifests in: \(agents[index]?.errorOutput ?? "")")
            }
        }
    }

    /// Runs a command of martlet about a node's datapath to its end.
    func martlet(_ arguments: [String], at node: Node) throws -> ProgramResult {
        try node.run(Self.martlet(), arguments + ["--pin-folder", pins[node === near ? 0 : 1]])
    }

    /// Starts one that goes on.
    func startMartlet(_ arguments: [String], at node: Node) throws -> ChildProcess {
        try node.spawn(
            Self.martlet(), arguments + ["--pin-folder", pins[node === near ? 0 : 1]],
            name: "\(arguments.first ?? "martlet")-\(node.name)")
    }

    /// What an outcome's counter says at a node.
    func count(_ outcome: String, at node: Node) throws -> Int {
        let status = try martlet(["status", "--state-folder", "\(world.folder)/\(node.name)-state"], at: node)
        for line in status.output.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.first.map(String.init) == outcome, words.count > 1, let number = Int(words[1]) { return number }
        }
        throw SiteError(description: "status of \(node.name) has no \(outcome): \(status.output)\(status.errorOutput)")
    }

    /// Kills the first node's agent; what it has programmed stays.
    func killAgent() throws { try agents[0]?.kill() }

    /// Starts the first node's agent anew.
    func restartAgent() throws {
        try startAgent()
    }
}
