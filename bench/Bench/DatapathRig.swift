// A node of the test world with datapaths of its own: each has its own cgroup and pins, so that several stand side by side
// in one run, and a worker dials through each in turn. The datapaths are real; the services in them are the bench's.

import BPF
import Datapath
import FoundationEssentials
import HostCalls
import World

final class DatapathRig {
    let world: World
    let node: Node
    /// A BPF file system of the world.
    let pins: String
    private var datapaths: [Datapath] = []

    init(in world: World) throws {
        self.world = world
        node = try world.addNode("bench", addresses: ["192.168.50.1", "fd50::1"])
        pins = try world.mountPins()
    }

    /// A cgroup below the node's, without hooks until somebody attaches them.
    func makeGroup(_ name: String) throws -> String {
        let path = "\(node.group.path)/\(name)"
        try makeDirectory(path)
        return path
    }

    /// Installs a datapath with so many services and returns the cgroup that it serves.
    func install(
        _ name: String, services: Int, recordTCP: Bool = true, connections: UInt32 = MapSizes().connections
    ) throws -> String {
        let group = try makeGroup(name)
        let datapath = try Datapath(
            installing: DatapathSettings(
                pinFolder: PinFolder(path: "\(pins)/\(name)"), cgroup: group, sizes: MapSizes(connections: connections),
                hostNamespaceCookie: 0, recordTCP: recordTCP))
        try ServiceFill.write(services, to: datapath)
        datapaths.append(datapath)
        return group
    }

    /// The program itself, to be started again as a worker.
    static func program() throws -> String {
        guard let program = resolve("/proc/self/exe") else { throw CallFailure("readlink", "/proc/self/exe", errno: 2) }
        return program
    }

    /// Has a worker dial the plan, and returns what it measured.
    func dial(_ plan: DialPlan) throws -> DialResults { try work("worker", plan) }

    /// Starts this program again in the node's namespace, with a plan, and returns what it measured.
    func work<Results: Decodable>(_ command: String, _ plan: some Encodable) throws -> Results {
        let text = String(decoding: try JSONEncoder().encode(plan), as: UTF8.self)
        let path = try world.write(text, to: "plan.json")
        let worker = try world.spawn(try Self.program(), [command, path], in: node.namespace, name: "worker")
        guard let status = worker.wait(within: .seconds(1800)), status == .exited(0) else {
            throw CallFailure("worker", worker.errorOutput, errno: 5)
        }
        return try JSONDecoder().decode(Results.self, from: Data(worker.output.utf8))
    }
}

/// Drops the rows whose name contains none of these, except those that a kept one is compared with. No parts: all stay.
func rows(of cases: [DialCase], naming parts: [String]) -> [DialCase] {
    guard !parts.isEmpty else { return cases }
    var names = Set(cases.map(\.name).filter { name in parts.contains { name.contains($0) } })
    for dialled in cases.reversed() where names.contains(dialled.name) {
        if let baseline = dialled.baseline { names.insert(baseline) }
    }
    return cases.filter { names.contains($0.name) }
}
