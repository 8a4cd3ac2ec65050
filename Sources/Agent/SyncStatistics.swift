// What kube-proxy's metrics tell about changes and syncs (MET-1, MET-4 to MET-6), as a value. A sync covers both
// families here, so their series are equal.

package import Foundation
package import LoadBalancing
import ServiceModel
package import Telemetry

package struct SyncStatistics: Sendable {
    /// Of all syncs, of those that looked at every service, and of the others: seconds, from 1 ms doubling (MET-1).
    package private(set) var durations = Self.histogram
    package private(set) var fullDurations = Self.histogram
    package private(set) var partialDurations = Self.histogram
    package private(set) var lastQueued: Date?
    package private(set) var lastSynced: Date?
    /// News of objects, also those that made no difference (MET-5).
    package private(set) var endpointChanges: UInt64 = 0
    package private(set) var serviceChanges: UInt64 = 0
    /// Taken in since the last successful sync began.
    package private(set) var pendingEndpointChanges = 0
    package private(set) var pendingServiceChanges = 0
    /// Syncs after which something had not been written.
    package private(set) var failures: UInt64 = 0
    /// Times that something that has no use any more could not be removed, or what somebody else changed not be repaired.
    package private(set) var cleanupFailures: UInt64 = 0
    package var noLocalEndpoints = NoLocalEndpoints()

    private static let histogram = Histogram(bounds: Histogram.exponentialBounds(from: 0.001, factor: 2, count: 15))

    package init() {}

    mutating func note(_ changes: [FactChange]) {
        for change in changes {
            switch change {
            case .service:
                serviceChanges += 1
                pendingServiceChanges += 1
            case .endpointSlice:
                endpointChanges += 1
                pendingEndpointChanges += 1
            case .node, .serviceCIDR: break
            }
        }
    }

    mutating func noteQueued(at date: Date) { lastQueued = date }

    mutating func noteRun(took duration: Duration, isFull: Bool, hasFailed: Bool) {
        durations.observe(duration)
        if isFull { fullDurations.observe(duration) } else { partialDurations.observe(duration) }
        if hasFailed { failures += 1 }
    }

    /// Something failed that nobody had just asked for: another attempt at a sync, or tidying up after one.
    mutating func noteFailure(ofSync: Bool) {
        if ofSync { failures += 1 } else { cleanupFailures += 1 }
    }

    mutating func noteSynced(at date: Date) {
        lastSynced = date
        pendingEndpointChanges = 0
        pendingServiceChanges = 0
    }
}
