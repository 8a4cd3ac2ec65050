// Names that Prometheus would refuse never reach a page: they trap where the metric is made.

import Testing

@testable import Telemetry

@Suite struct MetricNameTests {
    @Test(arguments: ["a", "_a", "kubeproxy_sync_total", "A9_", "__hidden"])
    func metricNames(_ name: String) {
        #expect(MetricNames.isMetricName(name))
    }

    @Test(arguments: ["", "9a", "a-b", "a b", "a:b", "é", "a\n", "a.b", "@", "[", "`", "{"])
    func notMetricNames(_ name: String) {
        #expect(!MetricNames.isMetricName(name))
    }

    @Test(arguments: ["a", "_a", "ip_family", "le"])
    func labelNames(_ name: String) {
        #expect(MetricNames.isLabelName(name))
    }

    @Test(arguments: ["", "__a", "__", "9", "a-b", "a:b"])
    func notLabelNames(_ name: String) {
        #expect(!MetricNames.isLabelName(name))
    }

    @Test func gaugesMayEndInTotalSinceSomeOfKubeProxysDo() {
        let family = MetricFamily(.gauge, "no_local_endpoints_total", help: "", samples: [MetricSample(1)])
        #expect(family.kind == .gauge)
    }

    @Test func aBadMetricNameTraps() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricFamily(.gauge, "a-b", help: "", samples: [])
        }
    }

    @Test func aCounterMustEndInTotal() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricFamily(.counter, "errors", help: "", samples: [])
        }
    }

    @Test func aNegativeCounterTraps() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricFamily(.counter, "errors_total", help: "", samples: [MetricSample(-1)])
        }
    }

    @Test func aHistogramNamedLikeItsSeriesTraps() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricFamily(.histogram, "size_count", help: "", samples: [])
        }
    }

    @Test func aNumberIsNoHistogram() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricFamily(.histogram, "size_bytes", help: "", samples: [MetricSample(1)])
        }
    }

    @Test func aRepeatedLabelNameTraps() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricSample(1, labels: ["a": "1", "a": "2"])
        }
    }

    @Test func aReservedLabelNameTraps() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricSample(1, labels: ["__a": "1"])
        }
    }

    @Test func aHistogramWithALabelLeTraps() async {
        await #expect(processExitsWith: .failure) {
            _ = MetricSample(Histogram(bounds: [1]), labels: ["le": "1"])
        }
    }

    /// As text, since an exit test's arguments travel as JSON, which has neither infinity nor NaN.
    @Test(arguments: ["", "2 1", "1 1", "1 inf", "nan"])
    func badBoundsTrap(_ text: String) async {
        await #expect(processExitsWith: .failure) { [text] in
            _ = Histogram(bounds: text.split(separator: " ").compactMap { Double($0) })
        }
    }

    @Test func seriesOfTheSameNameTrap() async {
        await #expect(processExitsWith: .failure) {
            let histogram = MetricFamily(.histogram, "size", help: "", samples: [])
            let gauge = MetricFamily(.gauge, "size_count", help: "", samples: [])
            _ = MetricsPage([histogram, gauge])
        }
    }
}
