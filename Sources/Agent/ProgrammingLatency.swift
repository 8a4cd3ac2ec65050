// How long it takes from what happens to endpoints until it is programmed here (MET-3): the moments come with the slices,
// from whoever writes them; the end is a successful sync.

package import Foundation
package import NetworkTypes
package import ServiceModel
package import Telemetry

package struct ProgrammingLatency: Sendable {
    /// Seconds.
    package private(set) var histograms = PerFamily { _ in Histogram(bounds: Self.bounds) }
    /// Earlier changes are not this agent's to measure.
    private let start: Int64
    /// By service, what waits for a sync: family and moment.
    private var pending: [ObjectName: [(family: AddressFamily, nanoseconds: Int64)]] = [:]
    private var pendingCount = 0
    /// While no sync succeeds, later changes than so many are not measured.
    private static let pendingLimit = 100_000

    /// 0.25, 0.5, 1 … 59, 60 … 115 by 5, 120 … 300 by 30: kube-proxy's.
    private static let bounds =
        [0.25, 0.5] + Histogram.linearBounds(from: 1, width: 1, count: 59)
        + Histogram.linearBounds(from: 60, width: 5, count: 12) + Histogram.linearBounds(from: 120, width: 30, count: 7)

    package init(start: Date) {
        self.start = Self.nanoseconds(start)
    }

    /// Takes note of changes that are to be programmed. `known` is a slice as it was until now. What changes nothing is not
    /// measured, nor what a deletion makes moot: its moment is that of an earlier change.
    package mutating func note(_ changes: [FactChange], known: (ObjectName) -> EndpointSlice?) {
        for change in changes {
            guard case .endpointSlice(let name, let slice) = change else { continue }
            let old = known(name)
            guard let slice else {
                if let old { forget(old) }
                continue
            }
            guard let moment = slice.triggerTimeNanoseconds, moment > start, pendingCount < Self.pendingLimit,
                old?.hasSameContent(as: slice) != true
            else { continue }
            pending[slice.service, default: []].append((slice.family, moment))
            pendingCount += 1
        }
    }

    private mutating func forget(_ slice: EndpointSlice) {
        guard let moments = pending[slice.service] else { return }
        let kept = moments.filter { $0.family != slice.family }
        pendingCount -= moments.count - kept.count
        pending[slice.service] = kept.isEmpty ? nil : kept
    }

    /// All that was noted is programmed.
    package mutating func observe(at date: Date) {
        guard pendingCount > 0 else { return }
        let now = Self.nanoseconds(date)
        for (family, moment) in pending.values.joined() {
            // Clocks of different machines differ.
            histograms[family].observe(max(0, Double(now - moment) / 1e9))
        }
        pending = [:]
        pendingCount = 0
    }

    private static func nanoseconds(_ date: Date) -> Int64 { Int64(date.timeIntervalSince1970 * 1e9) }
}
