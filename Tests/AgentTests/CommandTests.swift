// The commands that read or take down what an agent has programmed, run as a user runs them.

import Datapath
import Foundation
import HostCalls
import Inspection
import ProbeProtocol
import Testing
import World

@Suite("On a node that an agent has programmed", .serialized)
struct CommandTests {
    private let web = TestService(name: "web", address: "172.30.0.10", endpoints: [Scene.server(1), Scene.server(2)])
    private let idle = TestService(name: "idle", address: "172.30.0.20")

    private func run(_ scene: Scene, _ words: String...) throws -> ProgramResult {
        try scene.node.run(Scene.martlet(), words + ["--pin-folder", scene.folder.path])
    }

    private func json(_ result: ProgramResult) throws -> Any {
        #expect(result.status == .exited(0), "\(result.errorOutput)")
        return try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    }

    @Test("services, backends and frontends are listed, as tables and as JSON, with the agent running and without")
    func nouns() async throws {
        try await withScene { scene in
            try scene.publish(web, idle)
            let agent = try scene.start()
            #expect(try scene.ask(web, count: 12).total == 12)
            for isRunning in [true, false] {
                if !isRunning { try agent.stop() }
                let services = try run(scene, "services").output
                let row = try #require(services.split(separator: "\n").first { $0.contains("shop/web:web") })
                let cells = row.split(separator: " ").map(String.init)
                #expect(cells.contains("172.30.0.10:80") && cells.suffix(4) == ["12", "0", "0", "0"], "\(services)")
                #expect(services.contains("shop/idle:web"))
                let backends = try run(scene, "backends").output
                for number in 1...2 { #expect(backends.contains("\(Scene.server(number)):8080"), "\(backends)") }
                #expect(try run(scene, "frontends").output.contains("172.30.0.20:80"))
                for noun in ["services", "backends", "frontends"] {
                    let listed = try json(try run(scene, noun, "-o", "json"))
                    let rows = (listed as? [Any]) ?? (listed as? [String: Any])?[noun] as? [Any]
                    #expect(rows?.isEmpty == false, "\(noun): \(listed)")
                }
                #expect(try json(try run(scene, "flows", "-o", "json")) is [Any])
                let report =
                    try json(
                        try run(scene, "status", "-o", "json", "--state-folder", scene.world.folder)) as? [String: Any]
                let devices = try #require(report?["devices"] as? [[String: Any]])
                #expect(devices.contains { ($0["hooks"] as? [Any])?.isEmpty == false }, "\(devices)")
                #expect(devices.allSatisfy { $0["name"] is String }, "\(devices)")
                let status = try run(scene, "status", "--state-folder", scene.world.folder)
                #expect(status.status == .exited(0) && status.output.contains("frontends"), "\(status.output)")
            }
        }
    }

    @Test("LIFE-2, LIFE-3: --init-only sets up what an agent then adopts; --cleanup takes it down; both end at once")
    func actions() async throws {
        try await withScene { scene in
            let config = try scene.world.write(
                "{apiVersion: martlet.dev/v1alpha1, kind: MartletConfiguration, mapSizes: {frontends: 777}}",
                to: "init.yaml")
            let place = ["--config", config, "--cgroup", scene.node.group.path, "--state-folder", scene.world.folder]
            let setUp = try run(scene, "agent", "--init-only", place)
            #expect(setUp.status == .exited(0), "\(setUp.errorOutput)")
            #expect(try scene.status().maps.first { $0.name == "frontends" }?.size == 777)
            try scene.publish(web)
            let agent = try scene.start()
            #expect(try scene.isServed(web, by: ["web-1", "web-2"]))
            let refused = try run(scene, "agent", "--cleanup", place)
            #expect(refused.status != .exited(0))
            try agent.stop()
            let cleaned = try run(scene, "agent", "--cleanup", place)
            #expect(cleaned.status == .exited(0) && cleaned.output.contains("removed"), "\(cleaned.errorOutput)")
            #expect(try run(scene, "frontends").status != .exited(0))
        }
    }

    private func run(_ scene: Scene, _ command: String, _ action: String, _ more: [String]) throws -> ProgramResult {
        try scene.node.run(Scene.martlet(), [command, action] + more + ["--pin-folder", scene.folder.path])
    }

    @Test("cleanup is refused while the agent runs; afterwards it says what it removed, and nothing is left")
    func cleanup() async throws {
        try await withScene { scene in
            try scene.publish(web)
            let agent = try scene.start()
            let refused = try run(scene, "cleanup", "--state-folder", scene.world.folder)
            #expect(refused.status == .exited(1) && refused.errorOutput.contains("an agent is using"))
            #expect(try scene.ask(web).total == 20)
            try agent.stop()
            #expect(try scene.ask(web).total == 20)

            let done = try run(scene, "cleanup", "--state-folder", scene.world.folder)
            #expect(done.status == .exited(0), "\(done.errorOutput)")
            for part in ["removed link", "removed map", "removed state file"] {
                #expect(done.output.contains(part), "\(done.output)")
            }
            #expect(!exists(scene.folder.path))
            #expect(try scene.client.ask(.tcp, web.address, 80, timeout: .milliseconds(300)).total == 0)
            let again = try run(scene, "cleanup", "--state-folder", scene.world.folder)
            #expect(again.status == .exited(0) && again.output.contains("nothing to remove"), "\(again.output)")
        }
    }
}
