// Programs run where the test puts them, end when told, and say how they ended.

import Glibc
import HostCalls
import Testing
import World

@Suite("Programs in a world")
struct SpawnTests {
    @Test("a program runs in its node's namespace and cgroup")
    func placement() async throws {
        try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1"])
            let program = try node.spawn("/bin/sleep", ["1000"], name: "agent")
            #expect(node.group.path.contains(world.name))
            #expect(
                try eventually {
                    try readText("/proc/\(program.pid)/comm") == "sleep\n"
                })
            let group = ControlGroupPlace(of: program.pid)
            #expect(group.path?.hasSuffix("/n1/system/agent") == true, "\(group)")
            let interfaces = try node.run("/bin/cat", ["/proc/net/dev"]).output
            #expect(interfaces.contains("eth0") && !interfaces.contains("ifb0"))
        }
    }

    @Test("the ways a program ends are told apart")
    func endings() async throws {
        try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1"])
            let obedient = try node.spawn("/bin/sleep", ["1000"])
            #expect(obedient.wait(within: .milliseconds(50)) == nil)
            try obedient.terminate()
            #expect(obedient.wait() == .signalled(SIGTERM))
            let stubborn = try node.spawn("/bin/sleep", ["1000"])
            try stubborn.kill()
            #expect(stubborn.exitStatus == .signalled(SIGKILL))
            let failing = try node.spawn(
                "/bin/sh", ["-c", "echo out; echo err >&2; exit $CODE"], environment: ["CODE": "7"])
            #expect(failing.wait() == .exited(7))
            #expect(failing.output == "out\n")
            #expect(failing.errorOutput == "err\n")
            let missing = try node.spawn("/no/such/program")
            #expect(missing.wait() == .exited(1))
            #expect(missing.errorOutput.contains("execv of /no/such/program failed with ENOENT"))
        }
    }
}

/// The cgroup2 line of a process's /proc entry.
private struct ControlGroupPlace {
    let path: Substring?

    init(of pid: Int32) {
        let lines = (try? readText("/proc/\(pid)/cgroup"))?.split(separator: "\n") ?? []
        path = lines.first { $0.hasPrefix("0::") }?.dropFirst(3)
    }
}
