// The exposition format, byte for byte.

import Telemetry
import Testing

@Suite("The Prometheus text format")
struct PrometheusTextTests {
    @Test("a page is families by name, and in each samples by labels (MET-1)")
    func page() {
        let page = MetricsPage([
            MetricFamily(
                .gauge, "martlet_frontends", help: "Frontends that are programmed.",
                samples: [
                    MetricSample(7, labels: ["kind": "NodePort", "family": "ipv4"]),
                    MetricSample(12, labels: ["family": "ipv4", "kind": "ClusterIP"]),
                ]),
            MetricFamily(
                .counter, "martlet_errors_total", help: "Errors.", samples: [MetricSample(UInt64(3))]),
        ])
        #expect(
            page.prometheusText == """
                # HELP martlet_errors_total Errors.
                # TYPE martlet_errors_total counter
                martlet_errors_total 3
                # HELP martlet_frontends Frontends that are programmed.
                # TYPE martlet_frontends gauge
                martlet_frontends{family="ipv4",kind="ClusterIP"} 12
                martlet_frontends{family="ipv4",kind="NodePort"} 7

                """)
    }

    @Test("a histogram is cumulative buckets, then sum, then count")
    func histogram() {
        var histogram = Histogram(bounds: [0.001, 0.5, 1])
        for value in [0.001, 0.25, 0.75, 100] { histogram.observe(value) }
        let page = MetricsPage([
            MetricFamily(
                .histogram, "sync_duration_seconds", help: "How long.",
                samples: [MetricSample(histogram, labels: ["ip_family": "IPv4"])])
        ])
        #expect(
            page.prometheusText == """
                # HELP sync_duration_seconds How long.
                # TYPE sync_duration_seconds histogram
                sync_duration_seconds_bucket{ip_family="IPv4",le="0.001"} 1
                sync_duration_seconds_bucket{ip_family="IPv4",le="0.5"} 2
                sync_duration_seconds_bucket{ip_family="IPv4",le="1"} 3
                sync_duration_seconds_bucket{ip_family="IPv4",le="+Inf"} 4
                sync_duration_seconds_sum{ip_family="IPv4"} 101.001
                sync_duration_seconds_count{ip_family="IPv4"} 4

                """)
    }

    @Test("help and label values are escaped")
    func escaping() {
        let page = MetricsPage([
            MetricFamily(
                .gauge, "g", help: "A \"quoted\" \\ back\nslash",
                samples: [
                    MetricSample(1, labels: ["path": "C:\\a \"b\"\r\nc é"])
                ])
        ])
        #expect(
            page.prometheusText
                == "# HELP g A \"quoted\" \\\\ back\\nslash\n# TYPE g gauge\n"
                + "g{path=\"C:\\\\a \\\"b\\\"\r\\nc é\"} 1\n")
    }

    struct Number: Sendable, CustomTestStringConvertible {
        let value: Double
        let text: String
        var testDescription: String { text }
    }

    @Test(
        "numbers read back as themselves",
        arguments: [
            Number(value: 0, text: "0"), Number(value: -0.0, text: "0"), Number(value: -3, text: "-3"),
            Number(value: 0.1, text: "0.1"), Number(value: 1e-05, text: "1e-05"),
            Number(value: 9_007_199_254_740_991, text: "9007199254740991"), Number(value: 1e300, text: "1e+300"),
            Number(value: .infinity, text: "+Inf"), Number(value: -.infinity, text: "-Inf"),
            Number(value: .nan, text: "NaN"),
        ])
    func numbers(_ number: Number) {
        let page = MetricsPage([
            MetricFamily(.gauge, "g", help: "", samples: [MetricSample(number.value)])
        ])
        #expect(page.prometheusText == "# HELP g \n# TYPE g gauge\ng \(number.text)\n")
    }

    @Test("the order of construction does not show")
    func order() {
        let samples = ["a", "b", "c"].map { MetricSample(1, labels: ["name": $0, "other": "x"]) }
        let first = MetricFamily(.gauge, "first", help: "1", samples: samples)
        let firstReversed = MetricFamily(.gauge, "first", help: "1", samples: samples.reversed())
        let second = MetricFamily(.gauge, "second", help: "2", samples: [])
        #expect(
            MetricsPage([first, second]).prometheusText == MetricsPage([second, firstReversed]).prometheusText)
    }

    @Test("samples with the same labels cost one sample, not the page")
    func repeatedLabels() {
        let family = MetricFamily(
            .gauge, "g", help: "h",
            samples: [
                MetricSample(1, labels: ["a": "x"]), MetricSample(1, labels: ["a": "y"]),
                MetricSample(1, labels: ["a": "x"]),
            ])
        #expect(
            MetricsPage([family]).prometheusText
                == "# HELP g h\n# TYPE g gauge\ng{a=\"x\"} 1\ng{a=\"y\"} 1\n")
    }

    @Test("a family without samples is still explained")
    func emptyFamily() {
        let page = MetricsPage([MetricFamily(.counter, "c_total", help: "h", samples: [])])
        #expect(page.prometheusText == "# HELP c_total h\n# TYPE c_total counter\n")
    }

    @Test("a page without families is empty")
    func emptyPage() {
        #expect(MetricsPage([]).prometheusText.isEmpty)
    }
}
