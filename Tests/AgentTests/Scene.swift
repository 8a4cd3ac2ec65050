// What the tests of the agent share: a node with servers and a client, a folder of manifests, a BPF file system and
// state folder of its own, and the real agent binary run on them. Everything goes with the world.

import Datapath
import Foundation
import Glibc
import HostCalls
import Inspection
import NetworkTypes
import ProbeProtocol
import Testing
import World

final class Scene {
    let world: World
    let node: Node
    let client: Probe
    /// web-1, web-2, … at 10.0.1.11, 10.0.1.12, …, serving TCP and UDP on 8080.
    let servers: [Probe]
    let manifests: String
    let pins: String
    let folder: PinFolder
    /// Of the agent's configuration; small maps are made and audited faster.
    var mapSizes = [
        "frontends": 1024, "backends": 1024, "slots": 4096, "services": 256, "connections": 4096, "udpPages": 1024,
        "affinity": 1024, "eventBytes": 65536,
    ]
    private(set) var agents: [RunningAgent] = []

    init(_ world: World, servers count: Int = 2) throws {
        self.world = world
        let node = try world.addNode("worker-1", addresses: ["192.168.50.1"])
        self.node = node
        servers = try (1...count).map { number in
            let pod = try node.addPod("web-\(number)", addresses: [Self.server(number)])
            try pod.serve(.tcp, port: 8080)
            try pod.serve(.udp, port: 8080)
            return pod
        }
        client = try node.addPod("client", addresses: ["10.0.1.100"])
        manifests = try world.makeFolder("manifests")
        pins = try world.mountPins()
        folder = PinFolder(path: pins + "/martlet")
    }

    /// The address of a server, counted from 1.
    static func server(_ number: Int) -> String { "10.0.1.\(10 + number)" }

    /// The binary beside the test bundle.
    static func martlet() throws -> String {
        let bundle = try #require(imagePath().flatMap { resolve($0) })
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("martlet").path
    }

    // MARK: Manifests

    /// Replaces a file of manifests as a whole, by rename.
    func publish(_ text: String, as file: String) throws {
        try text.write(toFile: "\(manifests)/\(file)", atomically: true, encoding: .utf8)
    }

    /// Publishes services, each in a file of its name.
    func publish(_ services: TestService...) throws {
        for service in services { try publish(service.yaml, as: "\(service.name).yaml") }
    }

    func withdraw(_ file: String) throws {
        try removeFile("\(manifests)/\(file)")
    }

    /// Renames, in place of what has the new name.
    func move(_ path: String, to other: String) throws {
        guard unsafe rename(path, other) == 0 else { throw AgentTrouble(description: "rename \(path): errno \(errno)") }
    }

    // MARK: The agent

    /// Starts an agent and waits until it has programmed the manifests.
    @discardableResult
    func start(_ more: [String] = [], binary: String? = nil) throws -> RunningAgent {
        let agent = try launch(more, binary: binary)
        guard try agent.says("the manifests are programmed") else {
            throw AgentTrouble(description: "the agent did not sync:\n\(agent.log)")
        }
        return agent
    }

    /// Starts an agent and does not wait. Options given in `more` go before the usual ones of the same name; `source` are
    /// those that say where facts come from, the scene's manifests unless given.
    func launch(_ more: [String] = [], binary: String? = nil, source: [String]? = nil) throws -> RunningAgent {
        let sizes = mapSizes.map { "\($0.key): \($0.value)" }.sorted().joined(separator: ", ")
        let configuration = try world.write(
            "apiVersion: martlet.dev/v1alpha1\nkind: MartletConfiguration\nmapSizes: {\(sizes)}\n", to: "config.yaml")
        let usual = [
            ("--config", configuration),
            ("--node", "worker-1"), ("--pin-folder", folder.path),
            ("--cgroup", node.group.path), ("--state-folder", world.folder), ("--grace-period", "1s"),
            ("--metrics-bind-address", RunningAgent.metricsAddress),
        ]
        let facts = source ?? (more.contains("--manifests") ? [] : ["--manifests", manifests])
        let arguments = ["agent"] + facts + more + usual.filter { !more.contains($0.0) }.flatMap { [$0.0, $0.1] }
        let process = try node.spawn(binary ?? Self.martlet(), arguments)
        let agent = RunningAgent(process: process, host: node.host)
        agents.append(agent)
        return agent
    }

    // MARK: Traffic

    /// Who answers at a service's address, `count` times.
    func ask(_ service: TestService, count: Int = 20) throws -> Answers {
        let transport: Transport = service.transport == "UDP" ? .udp : .tcp
        return try client.ask(transport, service.address, UInt16(service.port), count: count)
    }

    /// Waits until a service is answered by exactly these servers; every answer has to come from one of them then.
    func isServed(_ service: TestService, by names: Set<String>, within limit: Duration = .seconds(20)) throws -> Bool {
        try eventually(within: limit, every: .milliseconds(50)) {
            let answers = try ask(service)
            return answers.errors.isEmpty && answers.names == names
        }
    }

    /// Waits until nobody serves any more: the address is not a service's.
    func isGone(_ service: TestService, within limit: Duration = .seconds(20)) throws -> Bool {
        let key = try FrontendKeys.of(service)
        return try eventually(within: limit, every: .milliseconds(50)) {
            try MapSnapshot(folder).frontends[key] == nil
        }
    }

    /// Waits for a load to go on.
    func goesOn(_ load: Load, by count: Int = 20) throws {
        let before = try load.statistics().ok
        let hasServed = try eventually(within: .seconds(20)) { () throws(WorldError) in
            try load.statistics().ok >= before + count
        }
        guard hasServed else {
            throw AgentTrouble(description: "the load stands still: \(try load.statistics())\n\(logs)")
        }
    }

    // MARK: Reading

    /// What `martlet status -o json` prints.
    func status() throws -> StatusReport {
        let words = ["status", "-o", "json", "--pin-folder", folder.path, "--state-folder", world.folder]
        let result = try node.run(Self.martlet(), words)
        guard result.status == .exited(0) else { throw AgentTrouble(description: result.errorOutput) }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return try decoder.decode(StatusReport.self, from: Data(result.output.utf8))
    }

    var logs: String { agents.map { "agent \($0.process.pid):\n\($0.log)" }.joined(separator: "\n") }
}

/// Something that a test cannot go on after.
struct AgentTrouble: Error, CustomStringConvertible {
    let description: String
}

/// Runs a test on a scene of its own. The logs of its agents go with an error that it throws.
func withScene(servers: Int = 2, _ body: (Scene) async throws -> Void) async throws {
    try await withWorld { world in
        let scene = try Scene(world, servers: servers)
        do {
            try await body(scene)
        } catch {
            Issue.record("\(error)\n\(scene.logs)")
        }
    }
}
