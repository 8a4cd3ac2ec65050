// Everything that one scrape answers, as a value. Its text is in PrometheusText; serving it is for MetricsServer.

package struct MetricsPage: Hashable, Sendable {
    /// Ascending by name.
    package let families: [MetricFamily]

    /// Two families that would put series of the same name on the page are a programming error and trap: Prometheus
    /// would refuse the whole page.
    package init(_ families: [MetricFamily]) {
        var taken: Set<String> = []
        for name in families.flatMap(\.seriesNames) {
            precondition(taken.insert(name).inserted, "two metric families have the series \(name)")
        }
        self.families = families.sorted { $0.name < $1.name }
    }
}
