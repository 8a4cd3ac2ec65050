// A metric with all its time series, as Prometheus sees it: name, meaning, type, samples. Who counts, and when, is for
// the component that owns the metric.

package struct MetricFamily: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Only ever grows, until the process restarts.
        case counter
        case gauge
        case histogram
    }

    /// With its base unit at the end (`_seconds`, `_bytes`), a counter with `_total` after that.
    package let name: String
    /// One sentence for the operator.
    package let help: String
    package let kind: Kind
    /// In no particular order. The labels of two samples should differ: see `MetricsPage.prometheusText`.
    package let samples: [MetricSample]

    /// These are programming errors and trap: a name that Prometheus refuses, a counter not named `_total`, a histogram
    /// named like one of the series it makes, and a sample whose value does not fit the kind. Gauges may end in
    /// `_total`, since some of kube-proxy's do (MET-1).
    package init(_ kind: Kind, _ name: String, help: String, samples: [MetricSample]) {
        precondition(MetricNames.isMetricName(name), "not a metric name: \(name)")
        for sample in samples {
            precondition(Self.fits(sample.value, kind), "metric \(name): not the value of a \(kind.rawValue)")
        }
        switch kind {
        case .counter:
            precondition(name.hasSuffix("_total"), "counter \(name) must end in _total")
        case .histogram:
            precondition(
                !Self.histogramSuffixes.contains { name.hasSuffix($0) },
                "histogram \(name) must not end like one of its own series")
        case .gauge:
            break
        }
        self.name = name
        self.help = help
        self.kind = kind
        self.samples = samples
    }

    /// The names that this family's series have on the page.
    var seriesNames: [String] {
        switch kind {
        case .counter, .gauge: [name]
        case .histogram: [name] + Self.histogramSuffixes.map { name + $0 }
        }
    }

    private static let histogramSuffixes = ["_bucket", "_sum", "_count"]

    private static func fits(_ value: MetricSample.Value, _ kind: Kind) -> Bool {
        switch (kind, value) {
        case (.counter, .number(let number)): number >= 0
        case (.gauge, .number), (.histogram, .histogram): true
        case (.counter, .histogram), (.gauge, .histogram), (.histogram, .number): false
        }
    }
}
