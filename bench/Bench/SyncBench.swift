// How long from decoded facts to the last flipped frontend: the planner, the image, the reconciler and the kernel's maps
// as the agent has them, in this process.

import BPF
import BenchSupport
import Datapath
import HostCalls
import LoadBalancing
import NetworkTypes
import Reconciler
import ServiceModel
import World

struct SyncBench: Sendable {
    let facts: SyncFacts
    let repetitions: Int
    let changes: Int

    /// Milliseconds.
    struct Times: Sendable {
        var plan: [Double] = []
        var program: [Double] = []
        var whole: [Double] = []
        var change: [Double] = []
    }

    func run(in rig: DatapathRig) async throws -> Times {
        var times = Times()
        for number in 0..<repetitions {
            let group = try rig.makeGroup("sync-\(number)")
            let datapath = try Datapath(
                installing: DatapathSettings(
                    pinFolder: PinFolder(path: "\(rig.pins)/sync-\(number)"), cgroup: group, hostNamespaceCookie: 0))
            let reconciler = Reconciler(
                store: datapath, limits: try datapath.limits(), settings: ReconcilerSettings(grace: .seconds(30)),
                seed: 1)
            var planner = Planner(settings: NodeSettings(nodeName: SyncFacts.nodeName))
            let all = facts.all
            let (began, planned, ended) = try await programme(all, &planner, reconciler)
            times.plan.append(milliseconds(planned - began))
            times.program.append(milliseconds(ended - planned))
            times.whole.append(milliseconds(ended - began))
            let programmed = try datapath.maps.frontends.count()
            guard programmed == 2 * facts.services else {
                throw CallFailure("sync", "\(programmed) of \(2 * facts.services) frontends", errno: 5)
            }
            guard number == repetitions - 1 else { continue }
            times.change = try await measureChanges(&planner, reconciler)
        }
        return times
    }

    /// One endpoint leaves or returns, at services spread over all.
    private func measureChanges(_ planner: inout Planner, _ reconciler: Reconciler) async throws -> [Double] {
        var taken: [Double] = []
        for number in 0..<changes {
            let index = (number / 2 * 7919) % facts.services
            let change = facts.change(index, without: number % 2 == 0 ? 1 : nil)
            let (began, _, ended) = try await programme([change], &planner, reconciler)
            taken.append(milliseconds(ended - began))
            _ = await reconciler.tick(now: .now)
        }
        return taken
    }

    private typealias Moments = (
        began: ContinuousClock.Instant, planned: ContinuousClock.Instant, ended: ContinuousClock.Instant
    )

    private func programme(
        _ facts: [FactChange], _ planner: inout Planner, _ reconciler: Reconciler
    ) async throws -> Moments {
        let began = ContinuousClock.now
        let change = planner.apply(facts)
        let planned = ContinuousClock.now
        let report = await reconciler.apply(change.changed.map { ($0.name, $0.plan) }, now: planned)
        let ended = ContinuousClock.now
        guard report.errors.isEmpty, report.failed.isEmpty, !change.changed.isEmpty else {
            throw CallFailure("sync", "\(report.errors)", errno: 5)
        }
        return (began, planned, ended)
    }
}

func milliseconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) * 1000 + Double(duration.components.attoseconds) * 1e-15
}
