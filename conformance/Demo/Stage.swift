// The demo's cast: one node with three web servers, a client pod, and an agent on the manifests of deploy/examples.

import Foundation
import HostCalls
import ProbeProtocol
import World

/// A step that did not come out as it must.
struct Disappointment: Error, CustomStringConvertible {
    let description: String
}

func say(_ text: String) {
    print(text)
    fflush(nil)
}

final class Stage {
    let world: World
    let node: Node
    let client: Probe
    let servers: [Probe]
    private let manifests: String
    private let pinFolder: String
    private var agent: ChildProcess?

    init(_ world: World) throws {
        self.world = world
        node = try world.addNode("worker-1", zone: "zone-a", addresses: ["192.168.50.1", "fd50::1"])
        servers = try (1...3).map { number in
            let pod = try world.nodes[0].addPod(
                "web-\(number)", addresses: ["10.0.1.1\(number)", "fd00:1::1\(number)"])
            try pod.serve(.tcp, port: 8080)
            try pod.serve(.udp, port: 5353)
            try pod.serve(.tcp, port: 5353)
            return pod
        }
        client = try node.addPod("client", addresses: ["10.0.1.100", "fd00:1::100"])
        manifests = try world.makeFolder("manifests")
        pinFolder = try world.mountPins() + "/martlet"
        for name in ["node", "web", "dns"] { try publish(name, try Self.example(name)) }
        say("One node, three server pods, one client pod, each in a network namespace of its own.")
    }

    private static func example(_ name: String) throws -> String {
        try String(contentsOfFile: "deploy/examples/\(name).yaml", encoding: .utf8)
    }

    /// Replaces a manifest as editors and ConfigMaps do: whole, by rename.
    private func publish(_ name: String, _ text: String) throws {
        try text.write(toFile: "\(manifests)/\(name).yaml", atomically: true, encoding: .utf8)
    }

    // MARK: Steps

    func startAgent() throws {
        let arguments = [
            "agent", "--manifests", manifests, "--node", "worker-1", "--pin-folder", pinFolder, "--cgroup",
            node.group.path, "--state-folder", world.folder, "--metrics-bind-address", "",
        ]
        agent = try node.spawn(Self.martlet, arguments)
        let isServing = try eventually(within: .seconds(10)) { () throws(WorldError) in
            try client.ask(.tcp, "172.30.0.10", 80).total == 1
        }
        guard isServing else {
            throw Disappointment(description: "the agent did not come up:\n\(agent?.errorOutput ?? "")")
        }
        say("The agent runs (process \(agent?.pid ?? 0)), fed by deploy/examples.\n")
    }

    /// The binary beside this one.
    private static var martlet: String {
        URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent("martlet").path
    }

    func showFrontends() throws {
        say("A client pod dials each kind of frontend, 60 connections each:\n")
        say("  frontend       address                     answered by")
        let frontends: [(kind: String, transport: Transport, address: String, port: UInt16, servers: Int)] = [
            ("ClusterIP", .tcp, "172.30.0.10", 80, 3), ("ClusterIP", .tcp, "fd99::10", 80, 3),
            ("NodePort", .tcp, "192.168.50.1", 30080, 3), ("NodePort", .tcp, "fd50::1", 30080, 3),
            ("ExternalIP", .tcp, "192.0.2.10", 80, 3), ("ExternalIP", .tcp, "2001:db8::10", 80, 3),
            ("LoadBalancer", .tcp, "203.0.113.10", 80, 3), ("LoadBalancer", .tcp, "2001:db8:1::10", 80, 3),
            ("ClusterIP", .udp, "172.30.0.53", 53, 2), ("ClusterIP", .udp, "fd99::53", 53, 2),
        ]
        for frontend in frontends {
            let answers = try client.ask(frontend.transport, frontend.address, frontend.port, count: 60)
            let place =
                "\(SocketAddress(frontend.address, frontend.port))/\(frontend.transport == .tcp ? "TCP" : "UDP")"
            let shares = answers.servers.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            say("  \(frontend.kind.padded(15))\(place.padded(28))\(shares.joined(separator: ", "))")
            guard answers.total == 60, answers.servers.count == frontend.servers else {
                throw Disappointment(description: "\(place) answered \(answers)")
            }
        }
        let refused = try client.ask(.tcp, "172.30.0.10", 81)
        say("  a port that the service does not have: \(refused.errors.keys.sorted().joined(separator: ", "))\n")
        guard refused.errors == ["ECONNREFUSED": 1] else {
            throw Disappointment(description: "port 81 answered \(refused)")
        }
    }

    func showEndpointRemoval() throws {
        say("The endpoint web-3 is removed while 16 clients connect as fast as they can:")
        let load = try client.startLoad(.tcp, "172.30.0.10", 80, mode: .new, concurrency: 16)
        try wait(for: load, toServe: 2000)
        let lines = try Self.example("web").split(separator: "\n", omittingEmptySubsequences: false)
        let fewer = lines.filter { !$0.contains("10.0.1.13") && !$0.contains("fd00:1::13") }
        try publish("web", fewer.joined(separator: "\n"))
        let hasMoved = try eventually(within: .seconds(10)) { () throws(WorldError) in
            try client.ask(.tcp, "172.30.0.10", 80, count: 30).names == ["web-1", "web-2"]
        }
        try wait(for: load, toServe: 2000)
        let result = try load.stop()
        say("  \(result.ok) connections, \(result.failed) failed; now answered by web-1 and web-2 only: \(hasMoved)\n")
        guard hasMoved, result.failed == 0 else { throw Disappointment(description: "removal: \(result)") }
    }

    func showAgentKilled() throws {
        say("The agent is killed (SIGKILL) while 16 clients connect and 16 keep connections open:")
        let fresh = try client.startLoad(.tcp, "fd99::10", 80, mode: .new, concurrency: 16)
        let held = try client.startLoad(.tcp, "172.30.0.10", 80, mode: .hold, concurrency: 16, rest: .milliseconds(1))
        try wait(for: fresh, toServe: 500)
        try agent?.kill()
        try wait(for: fresh, toServe: 2000)
        say("  it is dead, and traffic flows: \(try fresh.statistics().ok) connections so far")
        try startAgent()
        try wait(for: fresh, toServe: 2000)
        let (new, kept) = (try fresh.stop(), try held.stop())
        say("  new connections: \(new.ok), \(new.failed) failed")
        say("  held connections: \(kept.ok) exchanges, \(kept.failed) failed, \(kept.misdirected) misdirected\n")
        guard new.failed == 0, kept.failed == 0, kept.misdirected == 0 else {
            throw Disappointment(description: "restart: \(new) \(kept)")
        }
    }

    func showTables() throws {
        for noun in ["services", "backends"] {
            let result = try node.run(Self.martlet, [noun, "--pin-folder", pinFolder])
            say("$ martlet \(noun)\n\(result.output)")
            guard result.status == .exited(0), !result.output.isEmpty else {
                throw Disappointment(description: "martlet \(noun): \(result.errorOutput)")
            }
        }
    }

    private func wait(for load: Load, toServe count: Int) throws {
        let before = try load.statistics().attempts
        let hasServed = try eventually(within: .seconds(20)) { () throws(WorldError) in
            try load.statistics().attempts >= before + count
        }
        guard hasServed else { throw Disappointment(description: "the load stands still: \(try load.statistics())") }
    }
}

extension String {
    /// Filled up with spaces to a width, and with one at least.
    fileprivate func padded(_ width: Int) -> String {
        self + String(repeating: " ", count: max(1, width - count))
    }
}
