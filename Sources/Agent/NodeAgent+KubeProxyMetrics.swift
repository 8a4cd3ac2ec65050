// kube-proxy's metrics under their own names, types and labels, for dashboards and alerts that rely on them (MET-1).
// Martlet's own metrics are in NodeAgent+Metrics.

import Foundation
import HealthCheckServer
import LoadBalancing
import NetworkTypes
import Telemetry

extension NodeAgent {
    func kubeProxyFamilies() -> [MetricFamily] {
        durationFamilies + timeFamilies + changeFamilies + localEndpointFamilies + healthFamilies
    }

    private var durationFamilies: [MetricFamily] {
        [
            Self.histogram("sync_proxy_rules_duration_seconds", "Duration of syncs.", syncs.durations),
            Self.histogram(
                "sync_full_proxy_rules_duration_seconds", "Duration of syncs of all services.", syncs.fullDurations),
            Self.histogram(
                "sync_partial_proxy_rules_duration_seconds", "Duration of syncs of the services that changed.",
                syncs.partialDurations),
            MetricFamily(
                .histogram, Self.prefix + "network_programming_duration_seconds",
                help: "From what happened to endpoints until it was programmed.",
                samples: AddressFamily.allCases.map {
                    MetricSample(latency.histograms[$0], labels: Self.label($0))
                }),
        ]
    }

    private var timeFamilies: [MetricFamily] {
        [
            Self.gauge(
                "sync_proxy_rules_last_timestamp_seconds", "When the last sync succeeded.",
                syncs.lastSynced?.timeIntervalSince1970 ?? 0),
            Self.gauge(
                "sync_proxy_rules_last_queued_timestamp_seconds", "When a sync was last asked for.",
                syncs.lastQueued?.timeIntervalSince1970 ?? 0),
        ]
    }

    private var changeFamilies: [MetricFamily] {
        [
            MetricFamily(
                .gauge, Self.prefix + "sync_proxy_rules_endpoint_changes_pending",
                help: "News of EndpointSlices since the last sync.",
                samples: [MetricSample(syncs.pendingEndpointChanges)]),
            MetricFamily(
                .gauge, Self.prefix + "sync_proxy_rules_service_changes_pending",
                help: "News of Services since the last sync.", samples: [MetricSample(syncs.pendingServiceChanges)]),
            MetricFamily(
                .counter, Self.prefix + "sync_proxy_rules_endpoint_changes_total", help: "News of EndpointSlices.",
                samples: [MetricSample(syncs.endpointChanges)]),
            MetricFamily(
                .counter, Self.prefix + "sync_proxy_rules_service_changes_total", help: "News of Services.",
                samples: [MetricSample(syncs.serviceChanges)]),
            MetricFamily(
                .counter, Self.prefix + "sync_proxy_rules_nftables_sync_failures_total",
                help: "Syncs that the kernel did not take as a whole.",
                samples: AddressFamily.allCases.map { MetricSample(syncs.failures, labels: Self.label($0)) }),
            MetricFamily(
                .counter, Self.prefix + "sync_proxy_rules_nftables_cleanup_failures_total",
                help: "Times that what has no use any more could not be removed, or damage not be repaired.",
                samples: AddressFamily.allCases.map { MetricSample(syncs.cleanupFailures, labels: Self.label($0)) }),
        ]
    }

    private var localEndpointFamilies: [MetricFamily] {
        let counts = syncs.noLocalEndpoints
        let samples = AddressFamily.allCases.flatMap { family in
            [("external", counts.external[family]), ("internal", counts.internal[family])].map { policy, count in
                MetricSample(count, labels: ["ip_family": "\(family)", "traffic_policy": policy])
            }
        }
        return [
            MetricFamily(
                .gauge, Self.prefix + "sync_proxy_rules_no_local_endpoints_total",
                help: "Service ports with a Local policy, endpoints elsewhere and none here.", samples: samples)
        ]
    }

    private var healthFamilies: [MetricFamily] {
        [("proxy_healthz_total", "healthz", health.healthzCounts), ("proxy_livez_total", "livez", health.livezCounts)]
            .map { name, path, counts in
                MetricFamily(
                    .counter, Self.prefix + name, help: "Answers of /\(path), by status code.",
                    samples: counts.map { MetricSample($0.value, labels: ["code": "\($0.key)"]) })
            }
    }

    private static let prefix = "kubeproxy_"

    private static func label(_ family: AddressFamily) -> KeyValuePairs<String, String> { ["ip_family": "\(family)"] }

    private static func histogram(_ name: String, _ help: String, _ histogram: Histogram) -> MetricFamily {
        MetricFamily(
            .histogram, prefix + name, help: help,
            samples: AddressFamily.allCases.map { MetricSample(histogram, labels: label($0)) })
    }

    private static func gauge(_ name: String, _ help: String, _ value: Double) -> MetricFamily {
        MetricFamily(
            .gauge, prefix + name, help: help,
            samples: AddressFamily.allCases.map { MetricSample(value, labels: label($0)) })
    }
}
