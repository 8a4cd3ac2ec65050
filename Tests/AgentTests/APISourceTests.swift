// The whole agent as a process, following an API server over HTTPS and programming real maps.

import Foundation
import HostCalls
import Inspection
import ProbeProtocol
import Testing
import World

@Suite("An agent that follows an API server", .serialized)
struct APISourceTests {
    private let web = TestService(name: "web", address: "10.96.0.10", endpoints: [Scene.server(1)])

    @Test("programs what the server has, and each change of it")
    func follows() async throws {
        try await withScene { scene in
            let api = try APIScene(scene)
            try api.create(web)
            let agent = try api.start()
            #expect(try scene.isServed(web, by: ["web-1"]))
            var changed = web
            changed.endpoints = [Scene.server(2)]
            try api.replaceSlice(of: changed)
            #expect(try scene.isServed(web, by: ["web-2"]))
            #expect(try api.converges())
            try api.delete(web)
            #expect(try scene.isGone(web))
            #expect(try agent.metric("martlet_api_watching{resource=\"Service\"}") == 1)
            // The state file is written once a second.
            let isConnected = try eventually(within: .seconds(10), every: .milliseconds(200)) {
                try scene.status().agent.status?.api?.connected == true
            }
            #expect(isConnected)
            let status = try #require(try scene.status().agent.status)
            #expect(status.source == "API server https://127.0.0.1:6443")
            #expect(status.api?.resources.map(\.kind) == ["Service", "EndpointSlice", "Node", "ServiceCIDR"])
            try agent.stop()
        }
    }

    @Test("API-8: keeps connections going while the server is away, and finds what has changed when it is back")
    func serverAway() async throws {
        try await withScene { scene in
            let api = try APIScene(scene)
            try api.create(web)
            let agent = try api.start()
            let load = try scene.client.startLoad(
                .tcp, web.address, UInt16(web.port), mode: .new, concurrency: 2, rest: .milliseconds(5))
            try scene.goesOn(load)
            try api.control("go-away")
            #expect(try agent.waits(for: "martlet_api_watching{resource=\"Service\"}") { $0 == 0 })
            try scene.goesOn(load)
            try api.control("services?count=20&endpoints=2")
            try api.control("compact")
            // Nothing waits, so the proxy keeps up; whether the node is eligible is another question.
            let health = try agent.host.connect(.tcp, "127.0.0.1", 10256)
            defer { try? health.close() }
            #expect(try agent.ask(health, "/livez").first == "HTTP/1.1 200 OK")
            try api.control("come-back")
            #expect(try api.converges())
            try scene.goesOn(load)
            #expect(try load.statistics().failed == 0)
            try agent.stop()
        }
    }

    @Test("a run of changes and faults ends with the maps as the server's state says")
    func faults() async throws {
        try await withScene { scene in
            let api = try APIScene(scene)
            try api.create(web)
            try api.control("services?count=40&endpoints=3")
            let agent = try api.start()
            let faults = [
                "cut&times=2", "answer&code=500&times=3", "answer&code=429&retryAfter=1&times=2", "expire&times=2",
                "cut-frame&after=2&times=2", "duplicate-events&times=3", "reorder-events&times=3",
            ]
            for (round, fault) in faults.enumerated() {
                try api.control("fault?effect=\(fault)&verb=watch")
                try api.control("storm?rate=200&seconds=1&services=40")
                let other = TestService(
                    name: "round-\(round)", address: "10.96.1.\(round + 1)", endpoints: [Scene.server(2)])
                try api.create(other)
                try api.control("cut-watches")
                if round.isMultiple(of: 2) { try api.delete(other) }
            }
            try api.control("clear-faults")
            #expect(try api.converges())
            #expect(try scene.isServed(web, by: ["web-1"]))
            let failures = try agent.metrics().filter { $0.key.hasPrefix("martlet_api_failures_total") }
            #expect(failures.values.reduce(0, +) >= 4, "the faults were met: \(failures)")
            try agent.stop()
        }
    }

    @Test("SYNC-1: removes nothing of an earlier run before both lists are complete")
    func restartWithoutServer() async throws {
        try await withScene { scene in
            let api = try APIScene(scene)
            try api.create(web)
            try api.start().stop()
            // The slices do not come: nobody knows yet what the service has.
            try api.delete(web)
            try api.control("fault?effect=answer&code=403&resource=endpointslices")
            let agent = try scene.launch([], source: api.source)
            #expect(try agent.waits(for: "martlet_api_objects{resource=\"Service\"}") { $0 >= 1 })
            #expect(try scene.isServed(web, by: ["web-1"]))
            #expect(try agent.metric("martlet_synced") == 0)
            try api.control("clear-faults")
            #expect(try scene.isGone(web, within: .seconds(60)))
            try agent.stop()
        }
    }

    @Test("a credential plugin that the operator allows gives the token")
    func plugin() async throws {
        try await withScene { scene in
            let api = try APIScene(scene)
            try api.create(web)
            let answer =
                #"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"proxy"}}"#
            let file = try scene.world.write(
                """
                current-context: c
                contexts: [{name: c, context: {cluster: k, user: u}}]
                clusters: [{name: k, cluster: {server: "https://127.0.0.1:6443", certificate-authority: api/ca.crt}}]
                users:
                - name: u
                  user: {exec: {command: echo, apiVersion: client.authentication.k8s.io/v1, args: ['\(answer)']}}
                """, to: "plugin")
            let agent = try scene.launch([], source: ["--kubeconfig", file, "--allow-credential-plugins"])
            #expect(try agent.says("the objects of the API server are programmed"), "\(agent.log)")
            #expect(try scene.isServed(web, by: ["web-1"]))
            try agent.stop()
        }
    }

    @Test(
        "a kubeconfig file that cannot be honoured is refused at the start, by field",
        arguments: [
            ("exec: {command: aws}", "users[0].user.exec: is refused"), ("token: 5", "users[0].user.token"),
        ])
    func refused(_ user: String, _ message: String) async throws {
        try await withScene { scene in
            let file = try scene.world.write(
                """
                current-context: c
                contexts: [{name: c, context: {cluster: k, user: u}}]
                clusters: [{name: k, cluster: {server: "https://127.0.0.1:6443"}}]
                users: [{name: u, user: {\(user)}}]
                """, to: "refused")
            let agent = try scene.launch([], source: ["--kubeconfig", file])
            #expect(agent.process.wait(within: .seconds(20)) == .exited(1))
            #expect(agent.log.contains(message), "\(agent.log)")
        }
    }
}
