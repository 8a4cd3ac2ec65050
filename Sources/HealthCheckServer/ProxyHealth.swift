// Whether the proxy keeps up with its sources, and whether its node should be sent traffic from outside (HZ-1 to HZ-4).
// A value without a clock: whoever knows what has happened says so, and when; what is answered is in HealthAnswers.

package import Foundation
package import NetworkTypes

package struct ProxyHealth: Sendable {
    private struct Family {
        /// Since when the oldest change waits that no successful sync has followed (HZ-3).
        var pendingSince: ContinuousClock.Instant?
        /// The newest successful sync.
        var lastUpdated: Date?
    }

    private let patience: Duration
    private var families = PerFamily { _ in Family() }
    /// False until the Node has been seen, and while it is being deleted or drained by the autoscaler (HZ-4).
    package var isNodeEligible: Bool

    /// `patience` is how long a change may wait: twice the sync period, which is 30 s unless configured.
    package init(patience: Duration = .seconds(60), isNodeEligible: Bool = false) {
        self.patience = patience
        self.isNodeEligible = isNodeEligible
    }

    /// There is something to program in this family. What waits already goes on counting from its own time.
    package mutating func queued(_ family: AddressFamily, at now: ContinuousClock.Instant) {
        guard families[family].pendingSince == nil else { return }
        families[family].pendingSince = now
    }

    /// Everything that was queued is programmed.
    package mutating func synced(at date: Date) {
        for family in AddressFamily.allCases { families[family] = Family(pendingSince: nil, lastUpdated: date) }
    }

    /// Healthy at the start and when idle: only a change that waits for too long is a fault.
    package func report(now: ContinuousClock.Instant, date: Date) -> HealthReport {
        let states = PerFamily { family in
            HealthReport.FamilyState(
                lastUpdated: families[family].lastUpdated,
                healthy: families[family].pendingSince.map { now - $0 < patience } ?? true)
        }
        return HealthReport(currentTime: date, nodeEligible: isNodeEligible, families: states)
    }
}

/// What is known of the proxy's health at one moment.
package struct HealthReport: Hashable, Sendable {
    package struct FamilyState: Hashable, Sendable {
        /// Nil: never yet.
        package var lastUpdated: Date?
        package var healthy: Bool
    }

    package var currentTime: Date
    package var nodeEligible: Bool
    package var families: PerFamily<FamilyState>

    /// Whether the proxy itself is healthy, whatever becomes of its node.
    package var isProxyHealthy: Bool { AddressFamily.allCases.allSatisfy { families[$0].healthy } }

    /// The newest successful sync of any family; nil: there was none.
    var lastUpdated: Date? { AddressFamily.allCases.compactMap { families[$0].lastUpdated }.max() }
}
