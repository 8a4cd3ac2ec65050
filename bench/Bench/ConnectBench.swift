// What connect() costs on a fresh socket: nothing attached, empty programs, Martlet in several states, all in one run of
// one process. The datapaths here are real ones, each with its own pins and its own cgroup; only the services in them
// are written by the bench.

import BPF
import CBench
import Datapath
import FoundationEssentials
import HostCalls
import World

struct ConnectBench {
    let rounds: Int
    let sockets: Int
    /// How many services the larger datapaths hold.
    let services: Int
    /// Room of each datapath's `connections`.
    let connections: UInt32
    let processor: Int
    /// Parts of the names of the rows that are wanted; none: all.
    let only: [String]

    /// A cgroup of its own, without hooks until somebody attaches them.
    private struct Groups {
        let folder: String

        func make(_ name: String) throws -> String {
            let path = "\(folder)/\(name)"
            try makeDirectory(path)
            return path
        }
    }

    /// Runs the whole comparison. Needs root.
    func run() async throws -> ConnectReport {
        try await withWorld { world in
            let node = try world.addNode("bench", addresses: ["192.168.50.1", "fd50::1"])
            let addresses = ServiceFill.backendAddresses.map { "addr add \($0)/32 dev lo" }
            try node.namespace.configure(addresses + ["route add unreachable 198.18.0.0/15"])
            let groups = Groups(folder: node.group.path)
            let pins = try world.mountPins()
            let empty = try groups.make("empty")
            let hooks = try EmptyHooks(cgroup: empty)
            var datapaths: [Datapath] = []
            var cases = try ConnectCases(
                bare: groups.make("none"), bareAgain: groups.make("none-again"), empty: empty)
            for count in [1, services] {
                for recordTCP in [true, false] {
                    let group = try groups.make("martlet-\(count)-\(recordTCP ? "reverse" : "plain")")
                    let folder = PinFolder(path: "\(pins)/\(count)-\(recordTCP ? "reverse" : "plain")")
                    let datapath = try Datapath(
                        installing: DatapathSettings(
                            pinFolder: folder, cgroup: group, sizes: MapSizes(connections: connections),
                            hostNamespaceCookie: 0, recordTCP: recordTCP))
                    try ServiceFill.write(count, to: datapath)
                    datapaths.append(datapath)
                    cases.addMartlet(group: group, services: count, recordsTCP: recordTCP)
                }
            }
            cases.keep(only: only)
            let results = try dial(cases.all, on: node, in: world)
            withExtendedLifetime(datapaths) {}
            _ = consume hooks
            return ConnectReport(cases: cases.all, results: results)
        }
    }

    private func dial(_ cases: [DialCase], on node: Node, in world: World) throws -> DialResults {
        let plan = DialPlan(
            cases: cases, rounds: rounds, sockets: sockets, warmUp: max(16, sockets / 10), processor: processor,
            listenPort: ServiceFill.backendPort)
        let text = String(decoding: try JSONEncoder().encode(plan), as: UTF8.self)
        let path = try world.write(text, to: "plan.json")
        guard let program = resolve("/proc/self/exe") else { throw CallFailure("readlink", "/proc/self/exe", errno: 2) }
        let worker = try node.spawn(program, ["worker", path], name: "worker")
        guard let status = worker.wait(within: .seconds(600)), status == .exited(0) else {
            throw CallFailure("worker", worker.errorOutput, errno: 5)
        }
        return try JSONDecoder().decode(DialResults.self, from: Data(worker.output.utf8))
    }
}
