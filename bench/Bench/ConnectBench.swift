// What connect() costs on a fresh socket: nothing attached, empty programs, Martlet in several states, all in one run of
// one process.

import BPF
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

    /// Runs the whole comparison. Needs root.
    func run() async throws -> ConnectReport {
        try await withWorld { world in
            let rig = try DatapathRig(in: world)
            let addresses = ServiceFill.backendAddresses.map { "addr add \($0)/32 dev lo" }
            try rig.node.namespace.configure(addresses + ["route add unreachable 198.18.0.0/15"])
            let empty = try rig.makeGroup("empty")
            let hooks = try EmptyHooks(cgroup: empty)
            var table = ConnectCases(
                bare: try rig.makeGroup("none"), bareAgain: try rig.makeGroup("none-again"), empty: empty)
            for count in [1, services] {
                for recordTCP in [true, false] {
                    let group = try rig.install(
                        "martlet-\(count)-\(recordTCP ? "reverse" : "plain")", services: count, recordTCP: recordTCP,
                        connections: connections)
                    table.addMartlet(group: group, services: count, recordsTCP: recordTCP)
                }
            }
            let cases = rows(of: table.all, naming: only)
            let plan = DialPlan(
                cases: cases, rounds: rounds, sockets: sockets, warmUp: max(16, sockets / 10), processor: processor,
                listenPort: ServiceFill.backendPort, namespace: rig.node.namespace.path,
                listenNamespace: rig.node.namespace.path)
            let results = try rig.dial(plan)
            _ = consume hooks
            return ConnectReport(cases: cases, results: results)
        }
    }
}
