// The table of MET-1, and the metrics that all components of Kubernetes have, against what a running agent prints.

import Foundation
import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("kube-proxy's metrics", .serialized)
struct KubeProxyMetricsTests {
    private struct Row {
        var name: String
        var type: String
        var labels: Set<String>
        /// Finite bounds; empty where it is no histogram.
        var bounds: [Double] = []
    }

    private static let syncBounds = (0..<15).map { 0.001 * Double(1 << $0) }
    private static let latencyBounds =
        [0.25, 0.5] + (1...59).map(Double.init) + stride(from: 60, through: 115, by: 5)
        + stride(from: 120, through: 300, by: 30)
    private static let requestBounds = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60]

    /// Those of the iptables mode (rules and their restoring) are of what is not here.
    private static let rows: [Row] =
        [
            "sync_proxy_rules_duration_seconds", "sync_full_proxy_rules_duration_seconds",
            "sync_partial_proxy_rules_duration_seconds",
        ].map { Row(name: $0, type: "histogram", labels: ["ip_family"], bounds: syncBounds) }
        + [
            Row(
                name: "network_programming_duration_seconds", type: "histogram", labels: ["ip_family"],
                bounds: latencyBounds),
            Row(name: "sync_proxy_rules_last_timestamp_seconds", type: "gauge", labels: ["ip_family"]),
            Row(name: "sync_proxy_rules_last_queued_timestamp_seconds", type: "gauge", labels: ["ip_family"]),
            Row(name: "sync_proxy_rules_endpoint_changes_pending", type: "gauge", labels: []),
            Row(name: "sync_proxy_rules_service_changes_pending", type: "gauge", labels: []),
            Row(name: "sync_proxy_rules_endpoint_changes_total", type: "counter", labels: []),
            Row(name: "sync_proxy_rules_service_changes_total", type: "counter", labels: []),
            Row(
                name: "sync_proxy_rules_no_local_endpoints_total", type: "gauge",
                labels: ["traffic_policy", "ip_family"]),
            Row(name: "sync_proxy_rules_nftables_sync_failures_total", type: "counter", labels: ["ip_family"]),
            Row(name: "sync_proxy_rules_nftables_cleanup_failures_total", type: "counter", labels: ["ip_family"]),
            Row(name: "proxy_healthz_total", type: "counter", labels: ["code"]),
            Row(name: "proxy_livez_total", type: "counter", labels: ["code"]),
        ]

    private static let common: [Row] = [
        Row(name: "rest_client_requests_total", type: "counter", labels: ["code", "method", "host"]),
        Row(
            name: "rest_client_request_duration_seconds", type: "histogram", labels: ["verb", "host"],
            bounds: requestBounds),
        Row(name: "process_cpu_seconds_total", type: "counter", labels: []),
        Row(name: "process_resident_memory_bytes", type: "gauge", labels: []),
        Row(name: "process_virtual_memory_bytes", type: "gauge", labels: []),
        Row(name: "process_start_time_seconds", type: "gauge", labels: []),
        Row(name: "process_open_fds", type: "gauge", labels: []),
        Row(name: "process_max_fds", type: "gauge", labels: []),
        Row(name: "martlet_build_info", type: "gauge", labels: ["version", "platform"]),
    ]

    @Test("MET-1: names, types, labels and buckets are those of the table")
    func table() async throws {
        try await withScene { scene in
            let api = try APIScene(scene)
            let agent = try api.start(["--healthz-bind-address", "127.0.0.1:10256"])
            for path in ["/healthz", "/livez"] {
                #expect(
                    eventually(within: .seconds(20), every: .milliseconds(50)) {
                        guard let connection = try? agent.host.connect(.tcp, "127.0.0.1", 10256) else { return false }
                        defer { try? connection.close() }
                        return (try? agent.ask(connection, path).isEmpty) == false
                    })
            }
            let lines = try agent.get("/metrics")
            let prefixed = Self.rows.map { row in
                var row = row
                row.name = "kubeproxy_" + row.name
                return row
            }
            for row in prefixed + Self.common { try expect(row, in: lines) }
            // What else is kube-proxy's would be a mistake, save what connection tracking has of its own.
            let known = Set(prefixed.map(\.name))
            for line in lines where line.hasPrefix("# TYPE kubeproxy_") && !line.contains("conntrack_reconciler") {
                #expect(known.contains(line.split(separator: " ").map(String.init)[2]), "\(line)")
            }
            let metrics = try agent.metrics()
            #expect(metrics["process_open_fds"].map { $0 > 5 && $0 < 1000 } == true)
            #expect(metrics["process_max_fds"].map { $0 >= 256 } == true)
            #expect(metrics["process_resident_memory_bytes"].map { $0 > 1e6 && $0 < 1e10 } == true)
            #expect(metrics["process_cpu_seconds_total"].map { $0 > 0 && $0 < 1000 } == true)
            let start = try #require(metrics["process_start_time_seconds"])
            #expect(abs(Date().timeIntervalSince1970 - start) < 600)
            let lists = metrics["rest_client_requests_total{code=\"200\",host=\"127.0.0.1:6443\",method=\"GET\"}"]
            #expect(lists.map { $0 >= 4 } == true)
            let events = metrics["rest_client_requests_total{code=\"201\",host=\"127.0.0.1:6443\",method=\"POST\"}"]
            #expect(events.map { $0 >= 1 } == true)
        }
    }

    private func expect(_ row: Row, in lines: [String]) throws {
        #expect(lines.contains("# TYPE \(row.name) \(row.type)"), "\(row.name)")
        let series = row.type == "histogram" ? row.name + "_bucket" : row.name
        let samples = lines.filter { $0.hasPrefix(series + "{") || $0.hasPrefix(series + " ") }
        #expect(!samples.isEmpty, "\(row.name)")
        var bounds: Set<Double> = []
        for sample in samples {
            let inner = sample.split(separator: "{").dropFirst().first?.prefix { $0 != "}" } ?? ""
            var labels: [String: String] = [:]
            for pair in inner.split(separator: ",") {
                let parts = pair.split(separator: "=", maxSplits: 1)
                labels[String(parts[0])] = String(parts[1].dropFirst().dropLast())
            }
            if let bound = labels.removeValue(forKey: "le"), bound != "+Inf" { bounds.insert(Double(bound) ?? -1) }
            #expect(Set(labels.keys) == row.labels, "\(sample)")
            if let family = labels["ip_family"] { #expect(["IPv4", "IPv6"].contains(family), "\(sample)") }
            if let policy = labels["traffic_policy"] { #expect(["internal", "external"].contains(policy)) }
        }
        #expect(bounds.sorted() == row.bounds, "\(row.name)")
        if row.labels.contains("ip_family") {
            for family in ["IPv4", "IPv6"] { #expect(samples.contains { $0.contains("\"\(family)\"") }, "\(row.name)") }
        }
    }

    @Test("MET-3: a change that an API server tells of is measured once, when it is programmed")
    func latency() async throws {
        try await withScene { scene in
            let api = try APIScene(scene)
            var web = TestService(name: "web", address: "10.96.0.10", endpoints: [Scene.server(1)])
            try api.create(web)
            let agent = try api.start()
            let name = "kubeproxy_network_programming_duration_seconds_count{ip_family=\"IPv4\"}"
            #expect(try agent.metric(name) == 0)
            web.endpoints = [Scene.server(2)]
            web.triggerTime = Date().formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
            try api.replaceSlice(of: web)
            #expect(try agent.waits(for: name) { $0 == 1 })
            let sum = try agent.metric("kubeproxy_network_programming_duration_seconds_sum{ip_family=\"IPv4\"}")
            #expect(sum >= 0 && sum < 60)
            // MET-4
            let metrics = try agent.metrics()
            let queued = metrics["kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds{ip_family=\"IPv4\"}"]
            let synced = metrics["kubeproxy_sync_proxy_rules_last_timestamp_seconds{ip_family=\"IPv4\"}"]
            #expect(try #require(queued) <= #require(synced))
        }
    }
}
