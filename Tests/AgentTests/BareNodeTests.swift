// Nodes on which something is missing that others have. Each is made in a mount namespace and a cgroup namespace of its
// own, so that what the agent mounts is seen by nobody else and its root cgroup is the test's.

import Datapath
import HostCalls
import Testing
import World

@Suite("A node that lacks", .serialized)
struct BareNodeTests {
    private let web = TestService(name: "web", address: "172.30.0.10", endpoints: [Scene.server(1)])

    /// Takes things away, runs the agent, tells whether a program beside it reaches the service, and ends the agent.
    private static func script(takingAway removal: String, then check: String = "") -> String {
        """
        set -u
        address=$1 port=$2 martlet=$3
        shift 2
        \(removal)
        "$@" &
        agent=$!
        trap 'kill $agent 2>/dev/null; wait $agent' EXIT
        for attempt in {1..300}; do
            if (exec 3<>"/dev/tcp/$address/$port") 2>/dev/null; then echo served; break; fi
            kill -0 $agent 2>/dev/null || break
            sleep 0.1
        done
        \(check)
        """
    }

    /// Runs the script with the agent's command line on a node with one service.
    private func run(_ script: String, in scene: Scene, _ options: [String]) throws -> ChildProcess {
        try scene.publish(web)
        let process = try scene.node.spawn(
            "/usr/bin/unshare",
            [
                "--mount", "--cgroup", "/bin/bash", "-c", script, "bare-node", web.address, "\(web.port)",
                Scene.martlet(), "agent", "--manifests", scene.manifests, "--node", "worker-1",
                "--metrics-bind-address", "",
            ] + options, name: "bare")
        #expect(process.wait(within: .seconds(60)) != nil)
        return process
    }

    @Test("the BPF file system gets it mounted, and is served")
    func noPins() async throws {
        try await withScene(servers: 1) { scene in
            let script = Self.script(
                takingAway: """
                    while read -r place; do umount -l "$place"; done < <(
                        awk '/ - bpf / {print $5}' /proc/self/mountinfo | sort -r)
                    mount -t tmpfs tmpfs /run
                    """,
                then: "awk '/ - bpf / {print $5}' /proc/self/mountinfo")
            let process = try run(script, in: scene, ["--cgroup", scene.node.group.path])
            #expect(process.output == "served\n/sys/fs/bpf\n", "\(process.errorOutput)")
        }
    }

    @Test("cgroup2, to an agent in a cgroup namespace of its own, is told so: what it could mount is not the node's")
    func noCGroups() async throws {
        try await withScene(servers: 1) { scene in
            try scene.publish(web)
            let script = """
                while read -r place; do umount -l "$place"; done < <(
                    awk '/ - cgroup2 / {print $5}' /proc/self/mountinfo | sort -r)
                mount -t tmpfs tmpfs /run
                exec "$@"
                """
            let process = try scene.node.spawn(
                "/usr/bin/unshare",
                [
                    "--mount", "--cgroup", "/bin/bash", "-c", script, "bare-node", Scene.martlet(), "agent",
                    "--manifests", scene.manifests, "--node", "worker-1", "--metrics-bind-address", "",
                    "--pin-folder", scene.folder.path,
                ], name: "bare")
            #expect(process.wait(within: .seconds(60)) == .exited(2))
            #expect(process.errorOutput.contains("mount the node's /sys/fs/cgroup"), "\(process.errorOutput)")
        }
    }

    @Test("the kernel's type information is served all the same, and doctor names what is missing")
    func noTypes() async throws {
        try await withScene(servers: 1) { scene in
            let script = Self.script(
                takingAway: "mount -t tmpfs tmpfs /sys/kernel/btf", then: "$martlet doctor | grep BTF")
            let options = [
                "--pin-folder", scene.folder.path, "--cgroup", scene.node.group.path, "--state-folder",
                scene.world.folder,
            ]
            let process = try run(script, in: scene, options)
            let lines = process.output.split(separator: "\n")
            #expect(lines.first == "served", "\(process.errorOutput)")
            #expect(lines.last?.contains("/sys/kernel/btf/vmlinux is not there") == true, "\(process.output)")
        }
    }
}
