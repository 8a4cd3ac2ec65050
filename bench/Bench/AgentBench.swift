// The real agent at scale, from the outside: how long until it has programmed a folder of manifests, what memory it then
// holds, and how long from a file's change to the flipped frontend, watched in the pinned maps.

import BPF
import Datapath
import DatapathImage
import Glibc
import HostCalls
import NetworkTypes
import World

struct AgentBench: Sendable {
    let facts: SyncFacts
    let changes: Int
    /// Path of martlet.
    let program: String
    /// The text of its configuration file; nil: none.
    var configuration: String?

    struct Figures: Sendable {
        /// From exec to the last frontend, YAML and all.
        var startMilliseconds = 0.0
        /// Resident memory of the agent after the first sync, and after the changes; and the most there ever was.
        var residentMebibytes = 0.0
        var residentAfterChangesMebibytes = 0.0
        var peakMebibytes = 0.0
        /// Of the resident memory, what is shared pages of the maps and files.
        var sharedMebibytes = 0.0
        /// From the rename of a manifest to the flipped frontend.
        var changeMilliseconds: [Double] = []
    }

    func run(in rig: DatapathRig) throws -> Figures {
        let manifests = try rig.world.makeFolder("manifests")
        for index in 0..<facts.services { try write(index, without: nil, in: manifests) }
        let pins = "\(rig.pins)/agent"
        let options = try configuration.map { ["--config", try rig.world.write($0, to: "agent.yaml")] } ?? []
        let began = ContinuousClock.now
        let agent = try rig.node.spawn(
            program,
            [
                "agent", "--manifests", manifests, "--node", SyncFacts.nodeName, "--pin-folder", pins, "--cgroup",
                try rig.makeGroup("agent"), "--state-folder", rig.world.folder, "--metrics-bind-address", "",
            ] + options)
        let folder = PinFolder(path: pins)
        // Looking costs in proportion to what is there.
        let pause = Duration.milliseconds(facts.services > 20_000 ? 1000 : 20)
        let isSynced = try eventually(within: .seconds(1500), every: pause) {
            guard agent.exitStatus == nil else { throw CallFailure("agent", agent.errorOutput, errno: 3) }
            guard let maps = try? DatapathMaps.open(folder) else { return false }
            return try maps.frontends.count() == facts.frontends
        }
        guard isSynced else { throw CallFailure("agent", agent.errorOutput, errno: 110) }
        var figures = Figures()
        figures.startMilliseconds = milliseconds(.now - began)
        HostCalls.pause(milliseconds: 2000)
        figures.residentMebibytes = try memory("VmRSS", of: agent)
        figures.sharedMebibytes = try memory("RssFile", of: agent) + memory("RssShmem", of: agent)
        figures.changeMilliseconds = try measureChanges(manifests, folder)
        figures.residentAfterChangesMebibytes = try memory("VmRSS", of: agent)
        figures.peakMebibytes = try memory("VmHWM", of: agent)
        try agent.terminate()
        _ = agent.wait()
        return figures
    }

    private func measureChanges(_ manifests: String, _ folder: PinFolder) throws -> [Double] {
        let maps = try DatapathMaps.open(folder)
        var taken: [Double] = []
        for number in 0..<changes {
            let index = (number / 2 * 7919) % facts.services
            guard let address = facts.address(index) else { continue }
            let key = FrontendKey(
                AddressAndPort(address: address, port: SyncFacts.port), protocol: facts.transport(index))
            let before = try maps.frontends.lookup(key)
            let text = facts.manifest(index, without: number % 2 == 0 ? 1 : nil)
            let path = "\(manifests)/service-\(index).yaml"
            try writeText(text, to: path + ".new", create: true)
            let began = ContinuousClock.now
            guard unsafe rename(path + ".new", path) == 0 else { throw CallFailure("rename", path, errno: lastError()) }
            while try maps.frontends.lookup(key) == before {
                guard ContinuousClock.now - began < .seconds(10) else { throw CallFailure("flip", path, errno: 110) }
                usleep(20)
            }
            taken.append(milliseconds(.now - began))
            // Changes of a cluster do not wait for each other; those here do, so that each is one change.
            pause(milliseconds: 3)
        }
        return taken
    }

    private func write(_ index: Int, without left: Int?, in folder: String) throws {
        try writeText(
            facts.manifest(index, without: left), to: "\(folder)/service-\(index).yaml", create: true)
    }

    /// A line of /proc/PID/status that counts kB.
    private func memory(_ field: String, of agent: ChildProcess) throws -> Double {
        let status = try readText("/proc/\(agent.pid)/status")
        let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
        let number = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Double($0) }
        return (number ?? 0) / 1024
    }
}
