// How long from decoded facts to the last flipped frontend: the planner, the image, the reconciler and the kernel's maps
// as the agent has them, in this process.

import BPF
import BenchSupport
import Datapath
import Glibc
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
    /// Service ports that are programmed at a time.
    let piece: Int

    /// Milliseconds.
    struct Times: Sendable {
        var plan: [Double] = []
        var program: [Double] = []
        /// Of `program`, what writing the maps took.
        var maps: [Double] = []
        var whole: [Double] = []
        /// What this process had of the processors during `whole`: on a busy machine the rest is waiting.
        var processor: [Double] = []
        var change: [Double] = []
        /// The longest piece of each first sync: what a small change that comes meanwhile waits for.
        var longestPiece: [Double] = []
    }

    func run(in rig: DatapathRig) async throws -> Times {
        var times = Times()
        for number in 0..<repetitions {
            let group = try rig.makeGroup("sync-\(number)")
            let datapath = try Datapath(
                installing: DatapathSettings(
                    pinFolder: PinFolder(path: "\(rig.pins)/sync-\(number)"), cgroup: group, hostNamespaceCookie: 0))
            let store = TimedStore(datapath)
            let reconciler = Reconciler(
                store: store, limits: try datapath.limits(), settings: ReconcilerSettings(grace: .seconds(30)),
                seed: 1)
            var planner = Planner(settings: NodeSettings(nodeName: SyncFacts.nodeName))
            let all = facts.all
            let processor = processorMilliseconds()
            let (began, planned, ended, longest) = try await programme(all, &planner, reconciler, piece: piece)
            times.longestPiece.append(milliseconds(longest))
            times.processor.append(processorMilliseconds() - processor)
            times.plan.append(milliseconds(planned - began))
            times.maps.append(milliseconds(store.takeTime()))
            times.program.append(milliseconds(ended - planned))
            times.whole.append(milliseconds(ended - began))
            let programmed = try datapath.maps.frontends.count()
            guard programmed == facts.frontends else {
                throw CallFailure("sync", "\(programmed) of \(facts.frontends) frontends", errno: 5)
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
            let (began, _, ended, _) = try await programme([change], &planner, reconciler)
            taken.append(milliseconds(ended - began))
            _ = await reconciler.tick(now: .now)
        }
        return taken
    }
}

typealias SyncMoments = (
    began: ContinuousClock.Instant, planned: ContinuousClock.Instant, ended: ContinuousClock.Instant,
    longestPiece: Duration
)

/// Plans facts and has the maps follow, as the agent does. Throws unless all of it is programmed afterwards.
func programme(
    _ facts: [FactChange], _ planner: inout Planner, _ reconciler: Reconciler,
    piece: Int = ProgrammingBacklog.pieceSize
) async throws -> SyncMoments {
    let began = ContinuousClock.now
    let change = planner.apply(facts)
    let planned = ContinuousClock.now
    var backlog = ProgrammingBacklog()
    backlog.add(change.changed)
    let size = change.isDivisible ? piece : change.changed.count
    var longest = Duration.zero
    while !backlog.isEmpty {
        let start = ContinuousClock.now
        let report = await reconciler.apply(backlog.next(size).map { ($0.name, $0.plan) }, now: planned)
        guard report.errors.isEmpty, report.failed.isEmpty else {
            let failures = report.failed.prefix(3)
            throw CallFailure("sync", "\(report.errors) \(report.failed.count) failed: \(failures)", errno: 5)
        }
        longest = max(longest, .now - start)
    }
    let ended = ContinuousClock.now
    guard !change.changed.isEmpty else { throw CallFailure("sync", "nothing has changed", errno: 5) }
    return (began, planned, ended, longest)
}

/// Processor time of this process so far.
func processorMilliseconds() -> Double {
    var time = timespec()
    _ = unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1000 + Double(time.tv_nsec) / 1_000_000
}

func milliseconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) * 1000 + Double(duration.components.attoseconds) * 1e-15
}
