// What a running agent tells the users of its cluster as Events, read as they read them; and that it tells nobody anything
// when there is no cluster.

import Foundation
import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("The agent's events", .serialized)
struct EventTests {
    /// An Event, as far as these tests look at it.
    private struct Event: Decodable {
        struct Metadata: Decodable {
            var namespace: String
        }

        struct Reference: Decodable {
            var kind: String
            var name: String
            var namespace: String?
            var uid: String?
        }

        var metadata: Metadata
        var type: String
        var reason: String
        var note: String?
        var reportingInstance: String
        var regarding: Reference
    }

    private struct List: Decodable {
        var items: [Event]
    }

    private struct Made: Decodable {
        struct Metadata: Decodable {
            var uid: String
        }

        var metadata: Metadata
    }

    /// Waits for an event.
    private func event(_ api: APIScene, _ reason: String, _ name: String) throws -> Event? {
        var found: Event?
        _ = try eventually(within: .seconds(20), every: .milliseconds(100)) {
            let text = try api.read("/apis/events.k8s.io/v1/events")
            let events = try JSONDecoder().decode(List.self, from: Data(text.utf8)).items
            found = events.first { $0.reason == reason && $0.regarding.name == name }
            return found != nil
        }
        return found
    }

    private func create(_ api: APIScene, _ name: String, annotations: String = "{}", spec: String) throws -> String {
        let answer = try api.write(
            .post, "/api/v1/namespaces/shop/services",
            """
            {"metadata":{"name":"\(name)","annotations":\(annotations)},
             "spec":{"ports":[{"name":"web","port":80}],\(spec)}}
            """)
        return try JSONDecoder().decode(Made.self, from: Data(answer.utf8)).metadata.uid
    }

    @Test(
        "API-7, API-9, HC-6: it says that it starts, and what is wrong with which object, with the rights of a node proxy"
    )
    func told() async throws {
        try await withScene { scene in
            let api = try APIScene(scene)
            try scene.node.host.serve(.tcp, port: 30100)
            let local = try create(
                api, "local",
                spec: #""type":"LoadBalancer","externalTrafficPolicy":"Local","healthCheckNodePort":30100"#)
            let odd = try create(
                api, "odd", annotations: #"{"martlet.dev/forwarding":"sideways"}"#, spec: #""type":"ClusterIP""#)
            _ = try create(api, "first", spec: #""externalIPs":["192.0.2.7"]"#)
            // Who is older keeps the address; if they are of one second, it goes by name.
            let second = try create(api, "second", spec: #""externalIPs":["192.0.2.7"]"#)
            let agent = try api.start(["--node-addresses", "192.168.50.1"])

            let starting = try #require(try event(api, "Starting", "worker-1"))
            #expect(starting.type == "Normal" && starting.metadata.namespace == "default")
            #expect(starting.regarding.kind == "Node" && starting.regarding.uid == "worker-1")
            #expect(starting.reportingInstance == "martlet-worker-1")
            let taken = try #require(try event(api, "FailedToStartServiceHealthcheck", "local"))
            #expect(taken.type == "Warning" && taken.metadata.namespace == "shop")
            #expect(taken.regarding.kind == "Service" && taken.regarding.uid == local)
            #expect(taken.note?.contains("30100") == true, "\(taken)")
            let ignored = try #require(try event(api, "FieldIgnored", "odd"))
            #expect(ignored.regarding.uid == odd && ignored.note?.contains("sideways") == true, "\(ignored)")
            let overlap = try #require(try event(api, "NotServedAsSpecified", "second"))
            #expect(overlap.regarding.uid == second && overlap.note?.contains("192.0.2.7") == true, "\(overlap)")
            #expect(try agent.waits(for: "martlet_events_created_total") { $0 >= 4 })
            #expect(try agent.metric("martlet_events_dropped_total{reason=\"refused\"}") == 0)
            // The port is tried again all the time; that is no news.
            #expect(try agent.metric("martlet_events_repeated_total") == 0)
            try agent.stop()
        }
    }

    @Test("API-7: a frontend that has no room is told of at its service")
    func full() async throws {
        try await withScene { scene in
            scene.mapSizes["services"] = 3
            let api = try APIScene(scene)
            for number in 1...4 { _ = try create(api, "s\(number)", spec: #""clusterIP":"10.96.0.1\#(number)""#) }
            _ = try api.start()
            let isTold = try eventually(within: .seconds(20), every: .milliseconds(100)) {
                let text = try api.read("/apis/events.k8s.io/v1/events")
                return text.contains("FrontendNotProgrammed") && text.contains("map services is full")
            }
            #expect(isTold, "\(scene.logs)")
        }
    }

    @Test(
        "HZ-5: with bindAddressHardFail, an address that is taken is an event on the Node, and the end",
        arguments: [true, false])
    func hardFail(isMetrics: Bool) async throws {
        try await withScene { scene in
            let api = try APIScene(scene)
            let port: UInt16 = isMetrics ? 10249 : 10256
            try scene.node.host.serve(.tcp, port: port)
            let configuration = try scene.world.write(
                """
                apiVersion: kubeproxy.config.k8s.io/v1alpha1
                kind: KubeProxyConfiguration
                bindAddressHardFail: true
                mode: nftables
                """, to: "hard.yaml")
            let agent = try scene.launch(["--config", configuration], source: api.source)
            #expect(agent.process.wait(within: .seconds(60)) == .exited(1), "\(agent.log)")
            #expect(agent.log.contains("cannot listen on"), "\(agent.log)")
            let reason = isMetrics ? "FailedToStartMetricServer" : "FailedToStartProxierHealthcheck"
            let event = try #require(try event(api, reason, "worker-1"))
            #expect(event.type == "Warning" && event.note?.contains("\(port)") == true, "\(event)")
        }
    }

    @Test("API-7: with manifests nobody is told of anything")
    func manifests() async throws {
        try await withScene { scene in
            try scene.publish(TestService(name: "web", address: "172.30.0.10", endpoints: [Scene.server(1)]))
            let agent = try scene.start()
            #expect(try agent.metrics().keys.allSatisfy { !$0.contains("_events_") && !$0.contains("api_requests") })
        }
    }
}
