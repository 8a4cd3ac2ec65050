// What an API server as a source tells of itself: in the state file, and as metrics. Manifests have nothing to tell.

import Inspection
import KubernetesClient
import KubernetesSource
import ServiceModel
import Telemetry

extension FactSource {
    /// Nil for manifests.
    var status: AgentStatus.API? {
        guard case .kubernetes(let source, let client) = self else { return nil }
        let states = source.states
        return AgentStatus.API(
            server: "\(client.server)",
            connected: [FactKind.service, .endpointSlice].allSatisfy { states[$0]?.activity == .watching },
            resources: FactKind.allCases.map { kind in
                let state = states[kind] ?? ResourceState()
                return AgentStatus.API.Resource(
                    kind: kind.rawValue, activity: state.activity.rawValue, synced: state.isSynced,
                    resourceVersion: state.resourceVersion, objects: state.objects, error: state.failure)
            })
    }

    /// Empty for manifests.
    var metricFamilies: [MetricFamily] {
        guard case .kubernetes(let source, let client) = self else { return [] }
        let states = source.states.sorted { $0.key.rawValue < $1.key.rawValue }
        func samples(_ value: (ResourceState) -> UInt64) -> [MetricSample] {
            states.map { MetricSample(value($0.value), labels: ["resource": $0.key.rawValue]) }
        }
        return [
            MetricFamily(
                .counter, "martlet_api_requests_total",
                help: "Requests to the API server, by verb and status; without an answer, the code is error.",
                samples: Self.requestSamples(client.statistics)),
            MetricFamily(
                .counter, "martlet_api_lists_total", help: "Lists begun, streaming ones included.",
                samples: samples(\.lists)),
            MetricFamily(
                .counter, "martlet_api_watch_restarts_total", help: "Watches begun where an earlier one ended.",
                samples: samples(\.watches)),
            MetricFamily(
                .counter, "martlet_api_events_total", help: "Events of watches and streaming lists.",
                samples: samples(\.events)),
            MetricFamily(
                .counter, "martlet_api_failures_total",
                help: "Answers that were refusals, broken, or did not come, and watches that the server gave up.",
                samples: samples(\.failures)),
            MetricFamily(
                .counter, "martlet_api_decode_problems_total", help: "Things wrong with objects and frames.",
                samples: samples(\.decodeProblems)),
            MetricFamily(
                .gauge, "martlet_api_watching", help: "1 while the resource is being watched.",
                samples: samples { $0.activity == .watching ? 1 : 0 }),
            MetricFamily(
                .gauge, "martlet_api_objects", help: "Objects known.", samples: samples { UInt64($0.objects) }),
        ] + Self.clientFamilies(client.statistics)
    }

    /// What clients of Kubernetes have in common.
    private static func clientFamilies(_ statistics: RequestStatistics) -> [MetricFamily] {
        var counts: [[String]: UInt64] = [:]
        for (kind, count) in statistics.counts {
            counts[[kind.code.map { "\($0)" } ?? "<error>", kind.host, kind.verb.method], default: 0] += count
        }
        return [
            MetricFamily(
                .counter, "rest_client_requests_total", help: "Requests to API servers, by status, method and server.",
                samples: counts.map {
                    MetricSample($0.value, labels: ["code": $0.key[0], "host": $0.key[1], "method": $0.key[2]])
                }),
            MetricFamily(
                .histogram, "rest_client_request_duration_seconds",
                help: "Until the answer of an API server begins, by method and server.",
                samples: statistics.durations.map {
                    MetricSample($0.value, labels: ["host": $0.key.host, "verb": $0.key.method])
                }),
        ]
    }

    private static func requestSamples(_ statistics: RequestStatistics) -> [MetricSample] {
        var counts: [[String]: UInt64] = [:]
        for (kind, count) in statistics.counts {
            counts[[kind.verb.rawValue, kind.code.map { "\($0)" } ?? "error"], default: 0] += count
        }
        return counts.map { MetricSample($0.value, labels: ["verb": $0.key[0], "code": $0.key[1]]) }
    }
}
