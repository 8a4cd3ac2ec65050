// The process that dials: it lives in the world's namespace and moves from cgroup to cgroup, so that every case is timed
// by the same process on the same processor, a batch of each in turn. Odd rounds go backwards, which cancels drift.

import FoundationEssentials
import HostCalls

struct DialWorker {
    let plan: DialPlan
    private var destinations: [Destinations]
    private let listener: Int32
    private var group = ""

    init(_ plan: DialPlan) throws {
        self.plan = plan
        try pin(toProcessor: plan.processor)
        try enterNetwork(plan.listenNamespace)
        listener = try listen(port: plan.listenPort)
        try enterNetwork(plan.namespace)
        destinations = try plan.cases.map { try Destinations(addresses: $0.addresses, port: $0.port) }
    }

    mutating func run() throws -> DialResults {
        var results: DialResults = [:]
        for round in 0..<plan.rounds {
            let forward = Array(plan.cases.indices)
            for index in round % 2 == 0 ? forward : forward.reversed() {
                let times = try measure(index)
                results[plan.cases[index].name, default: DialTimes()].connect.append(times.connect)
                results[plan.cases[index].name, default: DialTimes()].close.append(times.close)
            }
        }
        return results
    }

    private mutating func measure(_ index: Int) throws -> (connect: Double, close: Double) {
        let dialled = plan.cases[index]
        if group != dialled.group {
            // "0" is the writer itself (cgroups(7)).
            try writeText("0", to: dialled.group + "/cgroup.procs")
            group = dialled.group
        }
        _ = try destinations[index].dial(dialled.transport, listener: listener, count: plan.warmUp)
        return try destinations[index].dial(dialled.transport, listener: listener, count: plan.sockets)
    }
}
