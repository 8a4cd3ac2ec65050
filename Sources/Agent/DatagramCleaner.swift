// Makes the kernel's connection tracking forget flows of UDP whose endpoint serves no longer (CT-1…5), so that a client
// that keeps its port is served by another one. It works beside the agent, on what is the case when it begins, at most
// once a second however often it is asked to; what goes wrong is told and holds nothing up.

import LoadBalancing
package import Logging
import Netlink
import NetworkTypes
import Synchronization
import Telemetry

package final class DatagramCleaner: Sendable {
    struct Statistics: Sendable {
        /// Seconds, from 1 ms doubling (MET-1).
        var durations = PerFamily { _ in
            Histogram(bounds: Histogram.exponentialBounds(from: 0.001, factor: 2, count: 15))
        }
        var forgotten = PerFamily { _ in UInt64(0) }
        var failures: UInt64 = 0
    }

    private let requests: AsyncStream<Void>
    private let inbox: AsyncStream<Void>.Continuation
    private let state = Mutex(Statistics())
    private let log: Logger

    private static let leastInterval = Duration.seconds(1)
    /// A table that changes while it is read is read again, a few times (CT-5).
    private static let attempts = 3

    package init(log: Logger) {
        self.log = log
        (requests, inbox) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    var statistics: Statistics { state.withLock { $0 } }

    /// Returns at once; requests that wait are one.
    func request() { inbox.yield() }

    /// Until the task is cancelled. `services` is asked for whenever there is something to do.
    func run(_ services: @Sendable () async -> DatagramServices) async {
        for await _ in requests {
            let services = await services()
            if !services.isEmpty {
                for family in AddressFamily.allCases { await clean(family, services) }
            }
            try? await Task.sleep(for: Self.leastInterval)
        }
    }

    /// Off the actors: there may be a million flows to look at.
    @concurrent
    private func clean(_ family: AddressFamily, _ services: DatagramServices) async {
        let began = ContinuousClock.now
        let (stale, trouble) = Self.stale(family, services)
        let forgotten = forget(stale, family)
        if forgotten > 0 {
            log.info(
                "connection tracking forgot UDP flows of endpoints that serve no longer",
                metadata: ["flows": "\(forgotten)", "family": "\(family)"])
        }
        if let trouble { note(trouble, family) }
        state.withLock { $0.durations[family].observe(ContinuousClock.now - began) }
    }

    /// What could be read counts, also when the reading ends with an error.
    private static func stale(
        _ family: AddressFamily, _ services: DatagramServices
    ) -> (flows: Set<TrackedDatagrams>, trouble: NetlinkError?) {
        var stale: Set<TrackedDatagrams> = []
        var trouble: NetlinkError?
        for _ in 1...attempts {
            do throws(NetlinkError) {
                // In a socket of an attempt that failed there may be more of its answer.
                var tracking = try DatagramTracking()
                trouble = nil
                let isWhole = try tracking.forEach(family) { flow in
                    if services.isStale(dialled: flow.dialled, answering: flow.answering) { stale.insert(flow) }
                }
                if isWhole { break }
            } catch {
                trouble = error
            }
        }
        return (stale, trouble)
    }

    /// How many were there. One that cannot be removed costs no other.
    private func forget(_ flows: Set<TrackedDatagrams>, _ family: AddressFamily) -> Int {
        guard !flows.isEmpty else { return 0 }
        var forgotten = 0
        do throws(NetlinkError) {
            var tracking = try DatagramTracking()
            var trouble: NetlinkError?
            for flow in flows {
                do throws(NetlinkError) {
                    if try tracking.forget(flow) { forgotten += 1 }
                } catch {
                    trouble = error
                }
            }
            if let trouble { throw trouble }
        } catch {
            note(error, family)
        }
        state.withLock { $0.forgotten[family] += UInt64(forgotten) }
        return forgotten
    }

    private func note(_ trouble: NetlinkError, _ family: AddressFamily) {
        state.withLock { $0.failures += 1 }
        log.warning(
            "stale UDP flows may stay in the kernel's connection tracking",
            metadata: ["family": "\(family)", "error": "\(trouble)"])
    }
}
