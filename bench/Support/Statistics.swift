// A handful of numbers in order: median, extremes, percentiles. Benchmarks repeat on a noisy machine, so that a figure is
// always shown with the spread that it was taken from.

/// Samples of one quantity, sorted.
package struct Samples: Sendable {
    package let sorted: [Double]

    /// Traps when there are none.
    package init(_ values: some Sequence<Double>) {
        sorted = values.sorted()
        precondition(!sorted.isEmpty, "statistics need at least one sample")
    }

    package var count: Int { sorted.count }
    package var min: Double { sorted[0] }
    package var max: Double { sorted[sorted.count - 1] }
    package var median: Double { percentile(50) }
    package var mean: Double { sorted.reduce(0, +) / Double(count) }

    /// How far the true median can be from this one: half of its 95 % interval, from ranks alone (binomial, so that it
    /// holds whatever the distribution).
    package var medianError: Double {
        let reach = 0.98 / Double(count).squareRoot() * 100
        return (percentile(Swift.min(100, 50 + reach)) - percentile(Swift.max(0, 50 - reach))) / 2
    }

    /// Interpolated between neighbours; 0 is the least, 100 the greatest.
    package func percentile(_ percent: Double) -> Double {
        let place = Double(count - 1) * percent / 100
        let below = Int(place)
        guard below + 1 < count else { return max }
        return sorted[below] + (sorted[below + 1] - sorted[below]) * (place - Double(below))
    }

    package var summary: Summary {
        Summary(
            median: median, medianError: medianError, min: min, max: max, low: percentile(25), high: percentile(75),
            p99: percentile(99), count: count)
    }
}

/// What is published of samples.
package struct Summary: Codable, Sendable {
    package let median: Double
    /// The true median is within this of `median`, in 95 of 100 runs.
    package let medianError: Double
    package let min: Double
    package let max: Double
    /// The quarters.
    package let low: Double
    package let high: Double
    package let p99: Double
    package let count: Int
}

/// Sample by sample of the same round.
package func differences(_ left: [Double], _ right: [Double]) -> Samples {
    Samples(zip(left, right).map { $0 - $1 })
}

package func ratios(_ left: [Double], _ right: [Double]) -> Samples {
    Samples(zip(left, right).map { $0 / $1 })
}
