// Stopping, killing and starting the agent: traffic flows on, and the next run takes over what is there.

import Datapath
import Glibc
import HostCalls
import Inspection
import ProbeProtocol
import Testing
import World

@Suite("An agent that ends and starts again", .serialized)
struct RestartTests {
    private let web = TestService(
        name: "web", address: "172.30.0.10", endpoints: [Scene.server(1), Scene.server(2)])
    private let dns = TestService(
        name: "dns", address: "172.30.0.53", port: 53, transport: "UDP", endpoints: [Scene.server(1), Scene.server(2)])

    @Test("leaves every connection as it is, and takes over ids, backends and links", arguments: [SIGTERM, SIGKILL])
    func restart(signal: Int32) async throws {
        try await withScene { scene in
            try scene.publish(web, dns)
            let first = try scene.start()
            #expect(try scene.isServed(web, by: ["web-1", "web-2"]))
            #expect(try scene.isServed(dns, by: ["web-1", "web-2"]))
            let loads = try [(Transport.tcp, web), (.udp, dns)].flatMap { transport, service in
                try [LoadMode.new, .hold].map { mode in
                    try scene.client.startLoad(
                        transport, service.address, UInt16(service.port), mode: mode, concurrency: 4,
                        rest: .milliseconds(5))
                }
            }
            for load in loads { try scene.goesOn(load) }
            let (maps, links) = (try MapSnapshot(scene.folder), try LinkSnapshot(scene.folder))

            try first.process.send(signal: signal)
            let end = first.process.wait(within: .seconds(30))
            #expect(end == (signal == SIGTERM ? .exited(0) : .signalled(SIGKILL)))
            #expect(try scene.status().agent.running == false)
            for load in loads { try scene.goesOn(load, by: 50) }

            // Another file of the same build, as after an upgrade: the programs are loaded again at every start.
            let copy = try copyOfMartlet(scene)
            let second = try scene.start(binary: copy)
            for load in loads { try scene.goesOn(load, by: 50) }
            let linksNow = try LinkSnapshot(scene.folder)
            #expect(try MapSnapshot(scene.folder) == maps)
            #expect(linksNow.links == links.links)
            #expect(linksNow.programs.allSatisfy { links.programs[$0.key] != $0.value })
            let written = try second.written()
            #expect(written.values.allSatisfy { $0 == 0 }, "\(written)")
            #expect(try scene.status().agent.running)
            for load in loads {
                let result = try load.stop()
                #expect(result.failed == 0 && result.misdirected == 0, "\(result)")
            }
        }
    }

    @Test("does not end when its terminal hangs up")
    func hangUp() async throws {
        try await withScene(servers: 1) { scene in
            var web = web
            web.endpoints = [Scene.server(1)]
            try scene.publish(web)
            let agent = try scene.start()
            #expect(try scene.isServed(web, by: ["web-1"]))
            try agent.process.send(signal: SIGHUP)
            web.port = 81
            try scene.publish(web)
            #expect(try scene.isServed(web, by: ["web-1"]))
            #expect(agent.process.exitStatus == nil)
            try agent.stop()
        }
    }

    private func copyOfMartlet(_ scene: Scene) throws -> String {
        let copy = scene.world.folder + "/martlet-copy"
        let result = try scene.node.run("/bin/cp", [try Scene.martlet(), copy])
        try #require(result.status == .exited(0))
        return copy
    }

    @Test("applies at start what changed while it was down, deletions as well")
    func changesWhileDown() async throws {
        try await withScene { scene in
            let gone = TestService(name: "gone", address: "172.30.0.20", endpoints: [Scene.server(1)])
            let new = TestService(name: "new", address: "172.30.0.30", endpoints: [Scene.server(2)])
            try scene.publish(web, dns, gone)
            try scene.start().stop()
            let before = try MapSnapshot(scene.folder)
            // A resolver's socket to each backend: one of them will be stale.
            let sockets = try (0..<12).map { _ in try scene.client.connect(.udp, dns.address, 53) }
            let answers = try sockets.map { try $0.request().server }
            try #require(Set(answers) == ["web-1", "web-2"])

            try scene.withdraw("gone.yaml")
            var smaller = (web: web, dns: dns)
            smaller.web.endpoints = [Scene.server(1)]
            smaller.dns.endpoints = [Scene.server(1)]
            try scene.publish(smaller.web, smaller.dns, new)
            #expect(try scene.ask(web).total == 20)
            try scene.start()

            let after = try MapSnapshot(scene.folder)
            #expect(after.frontends[try FrontendKeys.of(gone)] == nil)
            // An id is free for others when its grace period is over.
            #expect(try eventually(within: .seconds(10)) { try MapSnapshot(scene.folder).serviceID("gone") == nil })
            #expect(after.serviceID("web") == before.serviceID("web"))
            #expect(after.backendID("10.0.1.11:8080") == before.backendID("10.0.1.11:8080"))
            #expect(try scene.isServed(web, by: ["web-1"]))
            #expect(try scene.isServed(new, by: ["web-2"]))
            for (socket, server) in zip(sockets, answers) {
                let isAlive = try socket.check().alive
                #expect(isAlive == (server == "web-1"), "a socket to \(server)")
            }
        }
    }

    @Test("removes nothing and stays unsynced while the manifests are missing, and goes on when they are back")
    func missingDirectory() async throws {
        try await withScene { scene in
            try scene.publish(web)
            try scene.start().stop()
            let before = try MapSnapshot(scene.folder)
            try scene.move(scene.manifests, to: scene.manifests + "-away")

            let agent = try scene.launch()
            #expect(try agent.says("cannot be read"))
            #expect(try eventually(within: .seconds(10)) { try scene.status().agent.status?.problems.isEmpty == false })
            #expect(try scene.status().agent.status?.synced == false)
            #expect(try agent.metric("martlet_synced") == 0)
            // The process answers all the same.
            #expect(try agent.get("/healthz").first?.contains("200") == true)
            #expect(try MapSnapshot(scene.folder) == before)
            #expect(try scene.ask(web).total == 20)

            try scene.move(scene.manifests + "-away", to: scene.manifests)
            #expect(try agent.says("the manifests are programmed"))
            #expect(try agent.metric("martlet_synced") == 1)
            #expect(try MapSnapshot(scene.folder) == before)
            #expect(try agent.written().values.allSatisfy { $0 == 0 })
        }
    }

    @Test("removes at once what a service no longer has, and its stale sockets, although another object is broken")
    func brokenElsewhere() async throws {
        try await withScene { scene in
            let deleted = TestService(name: "deleted", address: "172.30.0.30", endpoints: [Scene.server(2)])
            try scene.publish(web, dns, deleted)
            try scene.start().stop()
            let sockets = try (0..<12).map { _ in try scene.client.connect(.udp, dns.address, 53) }
            let answers = try sockets.map { try $0.request().server }
            var (moved, smaller) = (web, dns)
            moved.port = 81
            smaller.endpoints = [Scene.server(1)]
            try scene.publish(moved, smaller)
            try scene.withdraw("deleted.yaml")
            try scene.publish("apiVersion: v1\nkind: Service\nmetadata: {namespace: shop}\n", as: "anonymous.yaml")

            let agent = try scene.start()
            #expect(try scene.isServed(moved, by: ["web-1", "web-2"]))
            #expect(try scene.isGone(web))
            #expect(try scene.ask(deleted).total == 20, "it may be the one that has no name")
            #expect(try agent.says("frontends of an earlier run are kept: they may belong to objects that cannot be"))
            for (socket, server) in zip(sockets, answers) {
                #expect(try eventually(within: .seconds(10)) { try socket.check().alive == (server == "web-1") })
            }

            try scene.withdraw("anonymous.yaml")
            #expect(try scene.isGone(deleted))
            #expect(try agent.says("what was kept of an earlier run and nobody has is removed"))
            #expect(try scene.ask(moved).total == 20)
        }
    }

    @Test("keeps the frontends of an earlier run until every manifest can be read")
    func brokenAtStart() async throws {
        try await withScene { scene in
            let broken = TestService(name: "broken", address: "172.30.0.20", endpoints: [Scene.server(1)])
            let deleted = TestService(name: "deleted", address: "172.30.0.30", endpoints: [Scene.server(2)])
            try scene.publish(web, broken, deleted)
            try scene.start().stop()
            try scene.publish("kind: [", as: "broken.yaml")
            try scene.withdraw("deleted.yaml")

            let agent = try scene.start()
            let kept = "kept until all manifests can be read"
            for service in [web, broken, deleted] { #expect(try scene.ask(service).total == 20, "\(service.name)") }
            #expect(
                try eventually(within: .seconds(10)) {
                    try scene.status().agent.status?.notices.contains { $0.contains(kept) } == true
                })

            try scene.publish(broken)
            #expect(try scene.isGone(deleted))
            #expect(try scene.isServed(broken, by: ["web-1"]))
            #expect(try agent.metric("martlet_input_problems{source=\"manifests\"}") == 0)
            #expect(
                try eventually(within: .seconds(10)) {
                    try scene.status().agent.status?.notices.contains { $0.contains(kept) } == false
                })
        }
    }
}
