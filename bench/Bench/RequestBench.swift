// Connect, a request, its answer, close: through a ClusterIP and straight to the backend, from one pod to another over
// veth. One thread plays both, in C, so that neither a scheduler nor a slow server hides what the ClusterIP costs.

import BenchSupport
import HostCalls
import World

struct RequestBench {
    let rounds: Int
    let requests: Int
    /// How many services the larger datapath holds.
    let services: Int
    let processor: Int

    static let direct = "straight to the backend, no hook"

    func run() async throws -> RequestReport {
        try await withWorld { world in
            let rig = try DatapathRig(in: world)
            let server = try rig.node.addPod("server", addresses: ServiceFill.backendAddresses)
            let client = try rig.node.addPod("client", addresses: ["10.0.1.100"])
            let cases = try makeCases(rig)
            let plan = DialPlan(
                cases: cases, rounds: rounds, sockets: requests, warmUp: max(16, requests / 10),
                processor: processor, listenPort: ServiceFill.backendPort, namespace: client.namespace.path,
                listenNamespace: server.namespace.path)
            return RequestReport(cases: cases, results: try rig.dial(plan))
        }
    }

    private func makeCases(_ rig: DatapathRig) throws -> [DialCase] {
        let one = try rig.install("one", services: 1)
        let many = try rig.install("many", services: services)
        let make = { (name: String, group: String, addresses: [String], port: UInt16, isBaseline: Bool) in
            DialCase(
                name: name, group: group, transport: .request, addresses: addresses, port: port,
                baseline: isBaseline ? nil : Self.direct)
        }
        let backends = ServiceFill.backendAddresses
        let (real, virtual) = (ServiceFill.backendPort, ServiceFill.port)
        let first = [ServiceFill.address(0)]
        return [
            make(Self.direct, try rig.makeGroup("none"), backends, real, true),
            make("the same once more", try rig.makeGroup("none-again"), backends, real, false),
            make("straight to the backend, Martlet attached", many, backends, real, false),
            make("ClusterIP, 1 service", one, first, virtual, false),
            make("ClusterIP, \(services) services", many, first, virtual, false),
            make(
                "ClusterIP, \(services) services in turn", many, (0..<services).map { ServiceFill.address($0) },
                virtual,
                false),
        ]
    }
}

/// Rates as ratios to the direct one, pairs of the same round.
struct RequestReport: Codable, Sendable {
    struct Row: Codable, Sendable {
        let name: String
        let microseconds: Summary
        /// Requests in a second by one client that waits for each answer.
        let rate: Double
        /// Of the rates: 1 is as fast as straight to the backend.
        let ratio: Summary?
        let isQuiet: Bool
    }

    /// A ratio whose median is less certain than this is not a figure.
    static let noiseLimit = 0.01

    let rows: [Row]

    init(cases: [DialCase], results: DialResults) {
        rows = cases.compactMap { dialled in
            guard let times = results[dialled.name]?.connect else { return nil }
            let ratio = dialled.baseline.flatMap { results[$0]?.connect }.map { ratios($0, times) }
            let own = Samples(times.map { $0 / 1000 })
            return Row(
                name: dialled.name, microseconds: own.summary, rate: 1_000_000 / own.median, ratio: ratio?.summary,
                isQuiet: (ratio?.medianError ?? 0) <= Self.noiseLimit)
        }
    }

    var text: String {
        var table = TextTable(
            "connect + request + close", "us", "min", "max", "a second", "rate", "+-", "min", "25 %", "75 %", "max")
        for row in rows {
            let ratio = { (value: Double?) in value.map { fixed($0, 3) } ?? "" }
            table.add(
                row.name, fixed(row.microseconds.median, 1), fixed(row.microseconds.min, 1),
                fixed(row.microseconds.max, 1), fixed(row.rate),
                row.isQuiet ? ratio(row.ratio?.median) : "too noisy", ratio(row.ratio?.medianError),
                ratio(row.ratio?.min), ratio(row.ratio?.low),
                ratio(row.ratio?.high), ratio(row.ratio?.max))
        }
        return table.text
    }
}
