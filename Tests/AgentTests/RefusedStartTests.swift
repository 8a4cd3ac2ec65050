// Starts that must fail: at once, with exit status 1 and a message that names the culprit, while traffic goes on as it
// was.

import BPF
import CDatapathABI
import Datapath
import HostCalls
import Inspection
import ProbeProtocol
import Testing
import World

@Suite("An agent that cannot start", .serialized)
struct RefusedStartTests {
    private let web = TestService(name: "web", address: "172.30.0.10", endpoints: [Scene.server(1)])

    /// The agent must have ended with status 1, and its last words contain all of these.
    private func expectRefusal(
        _ agent: RunningAgent, _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(agent.process.wait(within: .seconds(30)) == .exited(1), "\(agent.log)", sourceLocation: sourceLocation)
        for word in words { #expect(agent.log.contains(word), "\(agent.log)", sourceLocation: sourceLocation) }
    }

    @Test("because another one has the pin folder leaves the first undisturbed")
    func second() async throws {
        try await withScene { scene in
            try scene.publish(web)
            let first = try scene.start()
            let links = try LinkSnapshot(scene.folder)
            expectRefusal(
                try scene.launch(), "another martlet agent is using the pin folder \(scene.folder.path)", "--pin-folder"
            )
            #expect(first.process.exitStatus == nil)
            #expect(try LinkSnapshot(scene.folder) == links)
            var moved = web
            moved.endpoints = [Scene.server(2)]
            try scene.publish(moved)
            #expect(try scene.isServed(moved, by: ["web-2"]))
        }
    }

    @Test("because the maps follow another contract leaves traffic flowing")
    func otherContract() async throws {
        try await withScene { scene in
            try scene.publish(web)
            try scene.start().stop()
            let links = try LinkSnapshot(scene.folder)
            let contract = try BPFMap<UInt32, dp_contract>.open(pinned: "\(scene.folder.path)/maps/contract")
            try contract.update(0, dp_contract(abi_version: 4711, pad: 0))
            expectRefusal(
                try scene.launch(), "follow contract 4711", "this build speaks contract \(DP_ABI_VERSION)",
                "martlet cleanup --pin-folder \(scene.folder.path)")
            #expect(try scene.ask(web).servers == ["web-1": 20])
            let status = try scene.status()
            #expect(status.contractVersion == 4711)
            try contract.update(0, dp_contract(abi_version: DP_ABI_VERSION, pad: 0))
            #expect(try LinkSnapshot(scene.folder) == links)
            try scene.start()
        }
    }

    @Test("because of its surroundings says what is wrong with which of them, and leaves nothing behind")
    func surroundings() async throws {
        try await withScene(servers: 1) { scene in
            try scene.publish(web)
            let outside = scene.world.folder + "/not-bpf/martlet"
            expectRefusal(
                try scene.launch(["--pin-folder", outside]), outside, "not in a BPF file system", "/sys/fs/bpf")
            #expect(!exists(outside))
            let noGroup = scene.node.group.path + "/nowhere"
            expectRefusal(try scene.launch(["--cgroup", noGroup]), noGroup, "No such file or directory")
            #expect(!exists(scene.folder.path + "/maps/frontends"))
            expectRefusal(
                try scene.launch(["--cgroup", scene.world.folder]), scene.world.folder, "not in a cgroup2 file system")
            expectRefusal(try scene.launch(["--skip-cgroup", noGroup]), noGroup, "No such file or directory")
            #expect(!exists(scene.folder.path + "/maps/frontends"))
            // After all that, a start with everything right is like any other.
            try scene.start()
            #expect(try scene.isServed(web, by: ["web-1"]))
        }
    }

    @Test("because it has no capabilities says that it lacks permission")
    func noPermission() async throws {
        try await withScene(servers: 1) { scene in
            try scene.publish(web)
            let martlet = try Scene.martlet()
            let arguments = [
                "--bounding-set=-all", "--inh-caps=-all", "--", martlet, "agent", "--manifests", scene.manifests,
                "--node", "worker-1", "--pin-folder", scene.folder.path, "--cgroup", scene.node.group.path,
                "--state-folder", scene.world.folder, "--metrics-bind-address", "",
            ]
            let process = try scene.node.spawn("/usr/bin/setpriv", arguments, name: "powerless")
            expectRefusal(
                RunningAgent(process: process, host: scene.node.host), "Operation not permitted (1)",
                "The agent needs root, or CAP_BPF")
            #expect(!exists(scene.folder.path + "/maps/frontends"))
        }
    }
}
