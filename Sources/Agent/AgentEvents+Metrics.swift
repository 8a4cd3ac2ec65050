// What has become of the agent's events, as metrics.

import KubernetesEvents
import Telemetry

extension AgentEvents {
    /// Empty when nothing is told.
    var metricFamilies: [MetricFamily] {
        guard let counters else { return [] }
        return [
            MetricFamily(
                .counter, "martlet_events_created_total", help: "Events made.",
                samples: [MetricSample(counters.created)]
            ),
            MetricFamily(
                .counter, "martlet_events_updated_total", help: "Changes of the series of Events.",
                samples: [MetricSample(counters.updated)]),
            MetricFamily(
                .counter, "martlet_events_repeated_total",
                help: "The same things again, which are counted in the series of their Events.",
                samples: [MetricSample(counters.repeated)]),
            MetricFamily(
                .counter, "martlet_events_dropped_total", help: "Events and changes of series given up, by reason.",
                samples: EventCounters.Drop.allCases.map {
                    MetricSample(counters.dropped[$0] ?? 0, labels: ["reason": $0.rawValue])
                }),
        ]
    }
}
