// What load balancers and probes are told by a running agent, and kube-proxy's metrics about it.

import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("The agent's health", .serialized)
struct HealthTests {
    private static func service(_ policy: String = "Local", local: Bool = true) -> TestService {
        var web = TestService(name: "web", address: "172.30.0.10", endpoints: [Scene.server(1), Scene.server(2)])
        web.type = "LoadBalancer"
        web.nodePort = 30080
        web.endpointNodes = [local ? "worker-1" : "worker-2", "worker-2"]
        web.spec = ["externalTrafficPolicy: \(policy)", "healthCheckNodePort: 30100"]
        return web
    }

    /// The status code there; nil: nobody listens.
    private static func status(_ scene: Scene, _ port: UInt16, _ path: String = "/") throws -> Int? {
        guard let agent = scene.agents.last else { return nil }
        guard let connection = try? agent.host.connect(.tcp, "192.168.50.1", port) else { return nil }
        defer { try? connection.close() }
        let lines = try agent.ask(connection, path)
        return lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }

    private static func waits(
        _ scene: Scene, _ port: UInt16, _ path: String = "/", for wanted: Int?
    ) throws -> Bool {
        try eventually(within: .seconds(20), every: .milliseconds(50)) { try status(scene, port, path) == wanted }
    }

    @Test("health-check node ports follow local endpoints and policy (HC-1, HC-2, HC-7)")
    func healthCheckNodePort() async throws {
        try await withScene { scene in
            try scene.publish(Self.service())
            _ = try scene.start(["--node-addresses", "192.168.50.1"])
            #expect(try Self.waits(scene, 30100, for: 200))
            try scene.publish(Self.service(local: false))
            #expect(try Self.waits(scene, 30100, for: 503))
            try scene.publish(Self.service("Cluster"))
            #expect(try Self.waits(scene, 30100, for: nil))
        }
    }

    @Test("a node that is being drained is not healthy, and goes on serving (HZ-1, HZ-4, HZ-6)")
    func drain() async throws {
        try await withScene { scene in
            let web = TestService(name: "web", address: "172.30.0.10", endpoints: [Scene.server(1)])
            try scene.publish(web)
            _ = try scene.start(["--healthz-bind-address", "0.0.0.0:10256"])
            #expect(try Self.waits(scene, 10256, "/healthz", for: 200))
            let node = """
                apiVersion: v1
                kind: Node
                metadata: {name: worker-1}
                spec: {taints: [{key: ToBeDeletedByClusterAutoscaler, effect: NoSchedule}]}
                status: {addresses: [{type: InternalIP, address: 192.168.50.1}]}
                """
            try scene.publish(node, as: "node.yaml")
            #expect(try Self.waits(scene, 10256, "/healthz", for: 503))
            #expect(try Self.status(scene, 10256, "/livez") == 200)
            #expect(try scene.ask(web).total == 20)
        }
    }

    @Test("kube-proxy's metrics have their names, and count changes, syncs and dropped ports")
    func metrics() async throws {
        try await withScene { scene in
            try scene.publish(Self.service(local: false))
            let agent = try scene.start(["--healthz-bind-address", "0.0.0.0:10256"])
            #expect(try Self.waits(scene, 10256, "/livez", for: 200))
            let metrics = try agent.metrics()
            func sample(_ name: String) -> Double? { metrics["kubeproxy_" + name] }
            #expect(sample("sync_proxy_rules_service_changes_total") == 1)
            #expect(sample("sync_proxy_rules_endpoint_changes_total") == 1)
            #expect(sample("sync_proxy_rules_service_changes_pending") == 0)
            #expect(sample("sync_proxy_rules_duration_seconds_count{ip_family=\"IPv4\"}") == 1)
            #expect(sample("sync_full_proxy_rules_duration_seconds_count{ip_family=\"IPv6\"}") == 1)
            #expect(sample("sync_partial_proxy_rules_duration_seconds_count{ip_family=\"IPv4\"}") == 0)
            let local = "sync_proxy_rules_no_local_endpoints_total{ip_family=\"IPv4\",traffic_policy="
            #expect(sample(local + "\"external\"}") == 1)
            #expect(sample(local + "\"internal\"}") == 0)
            #expect((sample("proxy_livez_total{code=\"200\"}") ?? 0) >= 1)
            let queued = try #require(sample("sync_proxy_rules_last_queued_timestamp_seconds{ip_family=\"IPv4\"}"))
            let synced = try #require(sample("sync_proxy_rules_last_timestamp_seconds{ip_family=\"IPv4\"}"))
            #expect(queued > 0 && queued <= synced)

            try scene.publish(Self.service())
            #expect(try agent.waits(for: "kubeproxy_" + local + "\"external\"}") { $0 == 0 })
            let after = try agent.metrics()
            #expect(after["kubeproxy_sync_partial_proxy_rules_duration_seconds_count{ip_family=\"IPv4\"}"] == 1)
            #expect(after["kubeproxy_sync_proxy_rules_endpoint_changes_total"] == 2)
        }
    }
}
