// Names that Prometheus would refuse never reach a page: they trap where the metric is made.

import Testing

@testable import Telemetry

@Suite("Names of metrics and labels")
struct MetricNameTests {
    @Test("these are metric names", arguments: ["a", "_a", "kubeproxy_sync_total", "A9_", "__hidden"])
    func metricNames(_ name: String) {
        #expect(MetricNames.isMetricName(name))
    }

    @Test(
        "these are no metric names", arguments: ["", "9a", "a-b", "a b", "a:b", "é", "a\n", "a.b", "@", "[", "`", "{"])
    func notMetricNames(_ name: String) {
        #expect(!MetricNames.isMetricName(name))
    }

    @Test("these are label names", arguments: ["a", "_a", "ip_family", "le"])
    func labelNames(_ name: String) {
        #expect(MetricNames.isLabelName(name))
    }

    @Test("these are no label names", arguments: ["", "__a", "__", "9", "a-b", "a:b"])
    func notLabelNames(_ name: String) {
        #expect(!MetricNames.isLabelName(name))
    }

    @Test("a gauge may end in _total, since one of kube-proxy's does")
    func gaugeNamedTotal() {
        let family = MetricFamily(.gauge, "no_local_endpoints_total", help: "", samples: [MetricSample(1)])
        #expect(family.kind == .gauge)
    }

    @Test("a bad metric name traps")
    func badMetricName() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricFamily(.gauge, "a-b", help: "", samples: [])
        }
    }

    @Test("a counter that does not end in _total traps")
    func counterName() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricFamily(.counter, "errors", help: "", samples: [])
        }
    }

    @Test("a negative counter traps")
    func negativeCounter() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricFamily(.counter, "errors_total", help: "", samples: [MetricSample(-1)])
        }
    }

    @Test("a histogram that is named like one of its series traps")
    func histogramName() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricFamily(.histogram, "size_count", help: "", samples: [])
        }
    }

    @Test("a number in a histogram traps")
    func numberInHistogram() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricFamily(.histogram, "size_bytes", help: "", samples: [MetricSample(1)])
        }
    }

    @Test("a repeated label name traps")
    func repeatedLabel() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricSample(1, labels: ["a": "1", "a": "2"])
        }
    }

    @Test("a reserved label name traps")
    func reservedLabel() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricSample(1, labels: ["__a": "1"])
        }
    }

    @Test("a histogram with a label of its own named le traps")
    func labelLe() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricSample(Histogram(bounds: [1]), labels: ["le": "1"])
        }
    }

    /// As text, since an exit test's arguments travel as JSON, which has neither infinity nor NaN.
    @Test(
        "bounds that are none, out of order, repeated or not finite trap",
        arguments: ["", "2 1", "1 1", "1 inf", "nan"])
    func badBounds(_ text: String) async {
        await #expect(processExitsWith: .failure) { [text] in
            _ = Histogram(bounds: text.split(separator: " ").compactMap { Double($0) })
        }
    }

    @Test("two series of the same name trap")
    func sameSeries() async {
        await #expect(processExitsWith: .failure) {
            let histogram = MetricFamily(.histogram, "size", help: "", samples: [])
            let gauge = MetricFamily(.gauge, "size_count", help: "", samples: [])
            _ = MetricsPage([histogram, gauge])
        }
    }
}
