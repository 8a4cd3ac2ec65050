// The proxy's health where the agent writes it and HTTP servers read it, and how often it was asked for (MET-1). Leaf
// state: nothing is called while it is locked.

package import Foundation
import HTTPServing
import NIOHTTP1
import NetworkTypes
import Synchronization

package final class HealthBoard: Sendable {
    /// Answers given, by status code.
    package typealias Counts = [Int: UInt64]

    private struct State {
        var health: ProxyHealth
        var healthz: Counts = [:]
        var livez: Counts = [:]
    }

    private let state: Mutex<State>

    package init(_ health: ProxyHealth) {
        state = Mutex(State(health: health))
    }

    package func change(_ change: (inout ProxyHealth) -> Void) {
        state.withLock { change(&$0.health) }
    }

    package func report(now: ContinuousClock.Instant = .now, date: Date = Date()) -> HealthReport {
        state.withLock { $0.health.report(now: now, date: date) }
    }

    package var healthzCounts: Counts { state.withLock { $0.healthz } }
    package var livezCounts: Counts { state.withLock { $0.livez } }

    func healthz() -> HTTPAnswer {
        let answer = HealthAnswers.healthz(report())
        state.withLock { $0.healthz[Int(answer.status.code), default: 0] += 1 }
        return answer
    }

    func livez() -> HTTPAnswer {
        let answer = HealthAnswers.livez(report())
        state.withLock { $0.livez[Int(answer.status.code), default: 0] += 1 }
        return answer
    }
}
