// Manifests that are wrong: each mistake is reported with file, document, object, field and reason in the log, in the
// state file and as a metric; everything else goes on, and the last good version stays in force.

import Foundation
import HostCalls
import Inspection
import ProbeProtocol
import Testing
import World

@Suite("Manifests that are wrong", .serialized)
struct BadInputTests {
    private let web = TestService(name: "web", address: "172.30.0.10", endpoints: [Scene.server(1)])

    /// One mistake, alone in its file.
    struct Mistake {
        var file: String
        var bytes: [UInt8]
        /// As the state file names them; a part of the message.
        var object: String
        var field: String
        var message: String

        init(_ file: String, _ text: String, object: String = "", field: String = "", message: String) {
            self.init(file, Array(text.utf8), object: object, field: field, message: message)
        }

        init(_ file: String, _ bytes: [UInt8], object: String = "", field: String = "", message: String) {
            (self.file, self.bytes, self.object, self.field, self.message) = (file, bytes, object, field, message)
        }
    }

    private static let mistakes = [
        Mistake("yaml.yaml", "kind: [", message: "is not YAML"),
        Mistake("json.json", "{\"kind\": ", message: "the text ends where a value should be"),
        Mistake("text.yaml", "just words", object: "document 1", message: "object"),
        Mistake(
            "kind.yaml", "apiVersion: v2\nkind: Service\nmetadata: {namespace: shop, name: odd}",
            object: "Service shop/odd", field: "apiVersion", message: "v2"),
        Mistake(
            "address.yaml", TestService(name: "address", address: "172.30.0.999").yaml, object: "Service shop/address",
            field: "spec.clusterIP", message: "172.30.0.999"),
        Mistake(
            "port.yaml",
            "kind: Secret\napiVersion: v1\n---\n" + TestService(name: "port", address: "172.30.0.40", port: 70000).yaml,
            object: "Service shop/port", field: "spec.ports[0].port", message: "70000"),
        Mistake("empty.yaml", "\n", message: "is empty: it holds no object"),
        Mistake("utf8.yaml", [0x61, 0x3a, 0x20, 0xff, 0xfe, 0x0a], message: "UTF-8"),
    ]

    private func write(_ bytes: [UInt8], _ file: String, _ scene: Scene) throws {
        let temporary = "\(scene.manifests)/.new"
        let file = "\(scene.manifests)/\(file)"
        try Data(bytes).write(to: URL(fileURLWithPath: temporary))
        try scene.move(temporary, to: file)
    }

    private func problems(_ scene: Scene) throws -> [AgentStatus.Problem] {
        try scene.status().agent.status?.problems ?? []
    }

    private static let count = "martlet_input_problems{source=\"manifests\"}"

    @Test("are named in the log, the state file and the metrics, and cost nothing else")
    func mistakes() async throws {
        try await withScene(servers: 1) { scene in
            try scene.publish(web)
            let agent = try scene.start()
            for mistake in Self.mistakes { try write(mistake.bytes, mistake.file, scene) }
            // One byte more than is read; sparse.
            try write([], "huge.yaml", scene)
            let huge = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(scene.manifests)/huge.yaml"))
            try huge.truncate(atOffset: (64 << 20) + 1)
            try huge.close()
            let all = Self.mistakes + [Mistake("huge.yaml", "", message: "at most 67108864 are read")]
            #expect(try agent.waits(for: Self.count) { $0 >= Double(all.count) })
            #expect(try eventually(within: .seconds(10)) { try problems(scene).count >= all.count })
            let found = try problems(scene)
            for mistake in all {
                let own = found.filter { $0.file == mistake.file }
                let match = own.first {
                    $0.object == mistake.object && $0.field == mistake.field && $0.message.contains(mistake.message)
                }
                #expect(match != nil, "\(mistake.file): \(own)")
                let lines = agent.log.split(separator: "\n").filter { $0.contains(mistake.file) }
                #expect(
                    lines.contains { line in
                        [mistake.object, mistake.field, mistake.message].allSatisfy { $0.isEmpty || line.contains($0) }
                    }, "\(mistake.file): \(lines)")
            }
            #expect(found.first { $0.file == "port.yaml" }?.document == 2)
            #expect(try agent.metric("martlet_input_errors_total{source=\"manifests\"}") >= Double(all.count))
            #expect(try scene.ask(web).servers == ["web-1": 20])

            for mistake in all { try scene.withdraw(mistake.file) }
            #expect(try agent.waits(for: Self.count) { $0 == 0 })
            #expect(try agent.says("all manifests are in order again"))
            #expect(try eventually(within: .seconds(10)) { try problems(scene).isEmpty })
        }
    }

    @Test("keep their last good version in force while others change")
    func lastGood() async throws {
        try await withScene { scene in
            let other = TestService(name: "other", address: "172.30.0.20", endpoints: [Scene.server(1)])
            try scene.publish(web.yaml + "\n---\n" + other.yaml, as: "both.yaml")
            let agent = try scene.start()
            #expect(try scene.isServed(other, by: ["web-1"]))
            var (wrong, moved) = (web, other)
            wrong.port = 70000
            moved.endpoints = [Scene.server(2)]
            try scene.publish(wrong.yaml + "\n---\n" + moved.yaml, as: "both.yaml")
            #expect(try scene.isServed(moved, by: ["web-2"]))
            #expect(try scene.ask(web).servers == ["web-1": 20])
            #expect(try agent.says("its last good version stays in force"))
            #expect(
                try eventually(within: .seconds(10)) {
                    try problems(scene).contains {
                        $0.object == "Service shop/web" && $0.document == 1 && $0.message.contains("last good version")
                    }
                })
            var fixed = web
            fixed.endpoints = [Scene.server(2)]
            try scene.publish(fixed.yaml + "\n---\n" + moved.yaml, as: "both.yaml")
            #expect(try scene.isServed(fixed, by: ["web-2"]))
        }
    }

    @Test("cost nothing when a file is emptied: its services stay until it says something again")
    func emptied() async throws {
        try await withScene { scene in
            try scene.publish(web)
            let agent = try scene.start()
            #expect(try scene.isServed(web, by: ["web-1"]))
            try write([], "web.yaml", scene)
            #expect(try agent.says("is empty: it holds no object"))
            #expect(try agent.waits(for: Self.count) { $0 == 1 })
            #expect(try scene.ask(web).servers == ["web-1": 20])
            try scene.publish(web)
            #expect(try agent.waits(for: Self.count) { $0 == 0 })
        }
    }

    @Test("cost nothing when the whole directory goes away and comes back")
    func directoryGoes() async throws {
        try await withScene { scene in
            try scene.publish(web)
            let agent = try scene.start()
            let before = try MapSnapshot(scene.folder)
            try scene.move(scene.manifests, to: scene.manifests + "-away")
            #expect(try agent.says("cannot be read"))
            #expect(try scene.ask(web).servers == ["web-1": 20])
            try scene.move(scene.manifests + "-away", to: scene.manifests)
            #expect(try agent.says("all manifests are in order again"))
            #expect(try MapSnapshot(scene.folder) == before)
            var moved = web
            moved.endpoints = [Scene.server(2)]
            try scene.publish(moved)
            #expect(try scene.isServed(moved, by: ["web-2"]))
        }
    }

    @Test("and claim a frontend that another service has do not get it; the younger takes over when the older goes")
    func contested() async throws {
        try await withScene { scene in
            var (older, younger) = (web, web)
            older.created = "2024-01-01T00:00:00Z"
            (younger.name, younger.created) = ("younger", "2025-01-01T00:00:00Z")
            younger.endpoints = [Scene.server(2)]
            try scene.publish(younger)
            let agent = try scene.start()
            #expect(try scene.isServed(younger, by: ["web-2"]))
            try scene.publish(older)
            #expect(try scene.isServed(older, by: ["web-1"]))
            #expect(
                try eventually(within: .seconds(10)) {
                    try problems(scene).contains {
                        $0.object.contains("shop/younger") && $0.message.contains("shop/web")
                    }
                })
            #expect(try agent.metric("martlet_input_problems{source=\"rules\"}") >= 1)
            let load = try scene.client.startLoad(
                .tcp, web.address, 80, mode: .new, concurrency: 2, rest: .milliseconds(5))
            try scene.withdraw("web.yaml")
            #expect(try scene.isServed(younger, by: ["web-2"]))
            #expect(try load.stop().failed == 0, "the frontend passes on without a gap")
            #expect(try eventually(within: .seconds(10)) { try problems(scene).isEmpty })
        }
    }

    @Test("are never read half: a ConfigMap's symbolic link flips all files at once")
    func configMap() async throws {
        try await withScene { scene in
            func fill(_ version: String, _ endpoint: String) throws {
                let folder = "\(scene.manifests)/..\(version)"
                try makeDirectory(folder)
                var service = web
                service.endpoints = [endpoint]
                try writeText(service.service, to: "\(folder)/service.yaml", create: true)
                try writeText(service.slice, to: "\(folder)/slice.yaml", create: true)
            }
            func link(_ name: String, to place: String) throws {
                try FileManager.default.createSymbolicLink(
                    atPath: "\(scene.manifests)/\(name)", withDestinationPath: place)
            }
            try fill("v1", Scene.server(1))
            try link("..data", to: "..v1")
            for file in ["service.yaml", "slice.yaml"] {
                try link(file, to: "..data/\(file)")
            }
            let agent = try scene.start()
            #expect(try scene.isServed(web, by: ["web-1"]))
            let load = try scene.client.startLoad(
                .tcp, web.address, 80, mode: .new, concurrency: 2, rest: .milliseconds(5))
            try fill("v2", Scene.server(2))
            try link("..data_tmp", to: "..v2")
            try scene.move("\(scene.manifests)/..data_tmp", to: "\(scene.manifests)/..data")
            for file in ["service.yaml", "slice.yaml"] { try removeFile("\(scene.manifests)/..v1/\(file)") }
            #expect(try scene.isServed(web, by: ["web-2"]))
            #expect(try load.stop().failed == 0)
            #expect(try agent.metric("martlet_input_errors_total{source=\"manifests\"}") == 0)
        }
    }
}
