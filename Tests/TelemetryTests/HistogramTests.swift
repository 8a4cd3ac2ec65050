// Which bucket an observation falls into, and the bounds that kube-proxy's histograms have.

import Telemetry
import Testing

@Suite("Histograms")
struct HistogramTests {
    struct Case: Sendable {
        let value: Double
        /// Cumulative, for the bounds 1, 2 and 4.
        let buckets: [UInt64]
    }

    @Test(
        "an observation counts in every bucket that reaches it",
        arguments: [
            Case(value: -1, buckets: [1, 1, 1]), Case(value: 1, buckets: [1, 1, 1]),
            Case(value: 1.5, buckets: [0, 1, 1]),
            Case(value: 2, buckets: [0, 1, 1]), Case(value: 4, buckets: [0, 0, 1]),
            Case(value: 4.001, buckets: [0, 0, 0]),
            Case(value: .infinity, buckets: [0, 0, 0]),
        ])
    func buckets(_ test: Case) {
        var histogram = Histogram(bounds: [1, 2, 4])
        histogram.observe(test.value)
        let snapshot = histogram.snapshot
        #expect(snapshot.buckets.map(\.upperBound) == [1, 2, 4])
        #expect(snapshot.buckets.map(\.count) == test.buckets)
        #expect(snapshot.count == 1)
        #expect(snapshot.sum == test.value)
    }

    @Test("what is no number is not counted")
    func notANumber() {
        var histogram = Histogram(bounds: [1])
        histogram.observe(.nan)
        #expect(histogram == Histogram(bounds: [1]))
    }

    @Test("durations are counted in seconds")
    func durations() {
        var histogram = Histogram(bounds: [0.001, 1])
        histogram.observe(.milliseconds(250))
        #expect(histogram.snapshot.sum == 0.25)
        #expect(histogram.snapshot.buckets.map(\.count) == [0, 1])
    }

    @Test("a snapshot does not change with the histogram")
    func snapshots() {
        var histogram = Histogram(bounds: [1])
        let before = histogram.snapshot
        histogram.observe(0.5)
        #expect(before.count == 0)
        #expect(histogram.snapshot.count == 1)
    }

    @Test("exponential bounds multiply")
    func exponentialBoundsMultiply() {
        let bounds = Histogram.exponentialBounds(from: 0.001, factor: 2, count: 15)
        #expect(bounds.count == 15)
        #expect(bounds.prefix(5) == [0.001, 0.002, 0.004, 0.008, 0.016])
        #expect(bounds.last == 16.384)
    }

    @Test("linear bounds add")
    func linearBoundsAdd() {
        #expect(Histogram.linearBounds(from: 60, width: 5, count: 12).last == 115)
        #expect(Histogram.linearBounds(from: 0.25, width: 0.25, count: 2) == [0.25, 0.5])
    }
}
