// A world leaves nothing behind, whether its test ends well, throws or is killed, and disturbs no other world.

import Glibc
import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("A world's end")
struct CleanUpTests {
    /// Where cgroup2 is mounted.
    private func controlGroups() throws -> String {
        let mounts = try readText("/proc/self/mountinfo").split(separator: "\n")
        return String(try #require(mounts.first { $0.contains(" - cgroup2 ") }).split(separator: " ")[4])
    }

    /// Names of objects anywhere on the machine that belong to a world.
    private func traces(of name: String) throws -> [String] {
        let places = ["/run/netns", try controlGroups(), "/tmp"]
        return places.flatMap { place in namesIn(place).filter { $0.hasPrefix(name) }.map { "\(place)/\($0)" } }
            + (try readText("/proc/self/mounts").split(separator: "\n").filter { $0.contains(name) }.map(String.init))
    }

    /// A zombie, which init has yet to reap, runs no more.
    private func isRunning(_ pid: Int32) -> Bool {
        guard let status = try? readText("/proc/\(pid)/status") else { return false }
        return !status.contains("State:\tZ")
    }

    @Test("removes namespaces, cgroups, files, mounts and processes")
    func leavesNothing() async throws {
        var name = ""
        var pids: [Int32] = []
        try await withWorld { world in
            name = world.name
            let node = try world.addNode("n1", addresses: ["192.168.50.1", "fd50::1"])
            let pod = try node.addPod("pod", addresses: ["10.0.1.2", "fd00:1::2"])
            let program = try node.spawn("/bin/sleep", ["1000"])
            // A program that forks and is forgotten about by its parent.
            let forking = try node.spawn("/bin/sh", ["-c", "sleep 1000 & echo $!"])
            #expect(forking.wait() == .exited(0))
            let grandchild = try #require(Int32(forking.output.split(separator: "\n").first ?? ""))
            _ = try world.mountPins()
            pids = [node.host.pid, pod.pid, program.pid, grandchild]
            #expect(pids.allSatisfy(isRunning))
            #expect(try traces(of: name).count > 4)
        }
        #expect(try traces(of: name) == [])
        #expect(pids.filter(isRunning) == [])
    }

    @Test("removes everything when the test throws, and passes its error on")
    func throwing() async throws {
        struct Broken: Error {}
        var name = ""
        await #expect(throws: Broken.self) {
            try await withWorld { world in
                name = world.name
                _ = try world.addNode("n1", addresses: ["192.168.50.1"])
                throw Broken()
            }
        }
        #expect(name != "")
        #expect(try traces(of: name) == [])
    }

    @Test("two worlds with the same addresses live side by side")
    func sideBySide() async throws {
        try await withWorld { first in
            try await withWorld { second in
                for (world, answer) in [(first, "one"), (second, "two")] {
                    let node = try world.addNode("n1", addresses: ["192.168.50.1", "fd50::1"])
                    try node.addPod("web", addresses: ["10.0.1.2", "fd00:1::2"]).serve(.tcp, port: 80, as: answer)
                }
                #expect(try first.nodes[0].host.ask(.tcp, "10.0.1.2", 80, count: 5).servers == ["one": 5])
                #expect(try second.nodes[0].host.ask(.tcp, "fd00:1::2", 80, count: 5).servers == ["two": 5])
            }
            #expect(try first.nodes[0].host.ask(.tcp, "10.0.1.2", 80, count: 5).servers == ["one": 5])
        }
    }

    @Test("the remains of a world whose owner is dead are removed by the next")
    func sweeping() async throws {
        // Process 1 lives, but did not start at that tick: whoever owned this world is gone. Each object is made in
        // one step, since worlds of other tests may sweep meanwhile.
        let dead = "martlet-1-zzzzzz-\(UInt32.random(in: 0...UInt32.max))"
        try makeDirectory("/tmp/\(dead)")
        try makeDirectory("\(try controlGroups())/\(dead)")
        try await withWorld { world in
            let node = try world.addNode("n1", addresses: ["192.168.50.1"])
            // A namespace like that of the node, under the dead world's name.
            try #require(node.run("/sbin/ip", ["netns", "add", "\(dead)-n1"]).status == .exited(0))
        }
        try await withWorld { _ in }
        #expect(try traces(of: dead) == [])
    }
}
