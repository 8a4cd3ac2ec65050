// Observations counted into fixed buckets, as a value. The component that observes owns it; which buckets fit is its
// choice, with the reason beside it. Printing is for PrometheusText.

/// A Prometheus histogram. Observing costs a binary search over the bounds and allocates nothing.
package struct Histogram: Hashable, Sendable {
    /// The inclusive upper bounds of the buckets, finite and strictly ascending. The last bucket, up to infinity, is
    /// not among them.
    package let bounds: [Double]
    /// One for each bound and one for everything above; not cumulative.
    private var counts: [UInt64]
    private var sum: Double = 0

    /// Bounds that are empty, not finite, or not strictly ascending are a programming error and trap.
    package init(bounds: [Double]) {
        precondition(!bounds.isEmpty, "a histogram needs at least one bucket bound")
        precondition(bounds.allSatisfy(\.isFinite), "histogram bounds must be finite: \(bounds)")
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy(<), "histogram bounds must ascend: \(bounds)")
        self.bounds = bounds
        counts = [UInt64](repeating: 0, count: bounds.count + 1)
    }

    /// Counts one observation, in the unit of the metric's name. NaN belongs to no bucket and would spoil the sum for
    /// good, so it is not counted.
    package mutating func observe(_ value: Double) {
        guard !value.isNaN else { return }
        counts[bucket(of: value)] += 1
        sum += value
    }

    /// Counts one duration, in seconds.
    package mutating func observe(_ duration: Duration) {
        observe(duration / .seconds(1))
    }

    package var snapshot: HistogramSnapshot {
        var total: UInt64 = 0
        let buckets = zip(bounds, counts).map { bound, count in
            total += count
            return HistogramSnapshot.Bucket(upperBound: bound, count: total)
        }
        return HistogramSnapshot(buckets: buckets, count: total + counts[bounds.count], sum: sum)
    }

    /// The first bucket whose bound is not below the value; the position after the bounds if there is none.
    private func bucket(of value: Double) -> Int {
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if bounds[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension Histogram {
    /// `count` bounds, each `factor` times the one before: 0.001, 0.002, 0.004 …
    package static func exponentialBounds(from start: Double, factor: Double, count: Int) -> [Double] {
        var bounds: [Double] = []
        var bound = start
        for _ in 0..<count {
            bounds.append(bound)
            bound *= factor
        }
        return bounds
    }

    /// `count` bounds, `width` apart: 60, 65, 70 …
    package static func linearBounds(from start: Double, width: Double, count: Int) -> [Double] {
        (0..<count).map { start + Double($0) * width }
    }
}

/// What a histogram had counted at one moment, in the shape that Prometheus wants.
package struct HistogramSnapshot: Hashable, Sendable {
    package struct Bucket: Hashable, Sendable {
        /// Inclusive.
        package var upperBound: Double
        /// Cumulative: every observation not above the bound.
        package var count: UInt64
    }

    /// Ascending by bound, without the bucket up to infinity, whose count is `count`.
    package var buckets: [Bucket]
    package var count: UInt64
    package var sum: Double
}
