// Recorded requests sent to the stand-in, which holds the recorded state: the answers must be the recorded ones, in
// status line, headers, framing and body. What differs from server to server by nature is made equal before.

import APIServer
import APIServerState
import Foundation
import Testing

@Suite("Recorded requests to the API server stand-in")
struct ReplayTests {
    static let tokens: [String: User] = [
        "admin": User(name: "admin", role: .administrator),
        "proxy": User(name: "system:kube-proxy", role: .nodeProxier),
        "nobody": User(name: "system:serviceaccount:default:no-rights", role: .nobody),
    ]

    /// A server with the recorded state, at the recorded revision.
    static func with(
        revision: UInt64 = 656, expired: UInt64? = nil, _ body: @escaping @Sendable (APIServer) async throws -> Void
    ) async throws {
        var settings = ServerSettings()
        settings.users = tokens
        settings.futureWait = .milliseconds(100)
        try await APIServer.with(settings) { server async throws in
            var services: [JSON] = []
            for page in 1...9 {
                services += try Recording(name: "paging/services-limit5-page\(page).json").json["items"]?.array ?? []
            }
            try await server.store.restore(.services, services, revision: revision)
            for (name, endpoint) in EncodingTests.lists[1...3] {
                let items = try Recording(name: "\(name).json").json["items"]?.array ?? []
                try await server.store.restore(endpoint, items, revision: revision)
            }
            try await server.store.create(.namespaces, ["metadata": ["name": "demo"]])
            for endpoint in [Endpoint.services, .endpointSlices, .nodes, .serviceCIDRs] {
                await server.store.override(endpoint.resource, revision: revision, expired: expired)
            }
            try await body(server)
        }
    }

    private func compare(
        _ recording: Recording, _ answer: RawAnswer, sameBody: Bool = true,
        _ normalize: (String) -> String = { $0 }
    ) throws {
        #expect(answer.status == (try recording.status))
        #expect(answer.isComplete)
        let recorded = try recording.headers
        let ours = Dictionary(answer.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
        #expect(Set(ours.keys).subtracting(["connection"]) == Set(recorded.keys))
        for name in [
            "content-type", "cache-control", "transfer-encoding", "retry-after", "x-content-type-options", "warning",
        ] {
            #expect(ours[name] == recorded[name], "\(name)")
        }
        if answer.chunkSizes.count > 1 { #expect(answer.chunkSizes.dropLast().allSatisfy { $0 == 2048 }) }
        guard sameBody else { return }
        let body = try recording.body
        if recording.name.hasSuffix(".json") {
            #expect(normalize(answer.text) == normalize(String(decoding: body, as: UTF8.self)))
        } else {
            #expect(answer.body == body)
        }
    }

    @Test("lists are answered as they were", arguments: [Recording.all("lists")])
    func lists(recordings: [Recording]) async throws {
        try await Self.with { server async throws in
            for recording in recordings {
                // Some were made later, when other things had changed.
                let isLater = recording.name.contains("accept")
                await server.store.override(.serviceCIDRs, revision: isLater ? 760 : 656, expired: nil)
                let answer = try await RawClient.send(try recording.request(token: "proxy"), port: server.port)
                try compare(recording, answer)
            }
        }
    }

    @Test("pages are answered as they were, tokens included", arguments: [Recording.all("paging")])
    func paging(recordings: [Recording]) async throws {
        try await Self.with { server async throws in
            for recording in recordings {
                let answer = try await RawClient.send(try recording.request(token: "admin"), port: server.port)
                try compare(recording, answer)
            }
        }
    }

    @Test("single objects are answered as they were", arguments: [Recording.all("objects", except: ["create"])])
    func objects(recordings: [Recording]) async throws {
        try await Self.with { server async throws in
            for recording in recordings {
                let answer = try await RawClient.send(try recording.request(token: "admin"), port: server.port)
                try compare(recording, answer)
            }
        }
    }

    /// Sends requests at the same time, since their answers last as long as they ask for.
    private func atOnce(
        _ recordings: [Recording], _ server: APIServer,
        _ check: @escaping @Sendable (Recording, RawAnswer) throws -> Void
    ) async throws {
        try await withThrowingTaskGroup { group in
            for recording in recordings {
                group.addTask {
                    let request = try recording.request(token: "proxy")
                    try check(recording, try await RawClient.send(request, port: server.port))
                }
            }
            try await group.waitForAll()
        }
    }

    @Test(
        "streaming lists are answered as they were",
        arguments: [Recording.all("streaming-lists", except: ["not-supported"])])
    func streamingLists(recordings: [Recording]) async throws {
        try await Self.with { server async throws in
            try await atOnce(recordings, server) { try compare($0, $1) }
        }
    }

    @Test(
        "a server without streaming lists refuses them as it did",
        arguments: Recording.all("streaming-lists", except: ["endpoint", "node", "service"]))
    func refusedStreamingLists(recording: Recording) async throws {
        try await Self.with { server async throws in
            server.add(Fault(.refuseStreamingList))
            let answer = try await RawClient.send(try recording.request(token: "proxy"), port: server.port)
            try compare(recording, answer)
        }
    }

    @Test(
        "watches from the beginning are answered as they were",
        arguments: [Recording.all("watches", except: ["future", "timeout"])])
    func watches(recordings: [Recording]) async throws {
        try await Self.with { server async throws in
            try await atOnce(recordings, server) { recording, answer in
                // Made later than the list: the same names at other versions.
                try compare(recording, answer, sameBody: false)
                guard recording.name.hasSuffix(".json") else { return }
                let recorded = RawAnswer(body: try recording.body)
                #expect(FaultTests.events(answer) == FaultTests.events(recorded))
            }
        }
    }

    @Test(
        "silent watches send headers, nothing, and a last chunk",
        arguments: [Recording.all("watches", except: ["no", "one", "resource"])])
    func silentWatches(recordings: [Recording]) async throws {
        try await Self.with(revision: 768) { server async throws in
            try await atOnce(recordings, server) { try compare($0, $1) }
        }
    }

    private static func token(_ name: String) -> String? {
        if name.contains("no-token") { return nil }
        if name.contains("bad-token") { return "bad" }
        if name.contains("node-proxier") { return "proxy" }
        return name.contains("403") ? "nobody" : "admin"
    }

    @Test("errors are answered as they were", arguments: [Recording.all("errors", except: ["429"])])
    func errors(recordings: [Recording]) async throws {
        try await Self.with { server async throws in
            for recording in recordings {
                let request = try recording.request(token: Self.token(recording.name))
                let answer = try await RawClient.send(request, port: server.port)
                try compare(recording, answer) { $0.replacing(/current: [0-9]+/, with: "current: N") }
            }
        }
    }

    @Test(
        "too many requests are answered in text, whatever was asked for",
        arguments: Recording.all("errors", except: ["40", "415", "422", "50"]))
    func tooManyRequests(recording: Recording) async throws {
        try await Self.with { server async throws in
            server.add(Fault(.answer(code: 429, retryAfterSeconds: 1)))
            let answer = try await RawClient.send(try recording.request(token: "admin"), port: server.port)
            try compare(recording, answer)
        }
    }

    @Test(
        "what has expired is answered as it was", arguments: [Recording.all("expired", except: ["before", "continue"])])
    func expired(recordings: [Recording]) async throws {
        try await Self.with(revision: 860, expired: 853) { server async throws in
            for recording in recordings {
                let answer = try await RawClient.send(try recording.request(token: "admin"), port: server.port)
                try compare(recording, answer, sameBody: !recording.name.contains("list-not-older")) {
                    $0.replacing(#/too old resource version: [0-9]+ /#, with: "too old resource version: ")
                }
            }
            let recording = Recording(name: "expired/continue-inconsistent.json")
            let answer = try await RawClient.send(try recording.request(token: "admin"), port: server.port)
            let names = { (list: JSON) in (list["items"]?.array ?? []).map { $0.at("metadata", "name")?.string ?? "" } }
            let ours = try JSONParser.parse(answer.body)
            #expect(names(ours) == names(try recording.json))
            #expect(ours.at("metadata", "resourceVersion") == "860")
        }
    }

    @Test(
        "events are taken as they were",
        arguments: Recording.all("events", except: ["create-events-v1-again", "patch"]))
    func events(recording: Recording) async throws {
        try await Self.with { server async throws in
            let token = recording.name.contains("no-rights") ? "nobody" : "proxy"
            let answer = try await RawClient.send(try recording.request(token: token), port: server.port)
            try compare(recording, answer, sameBody: false)
            guard recording.name.hasSuffix(".json") else { return }
            #expect(
                try Self.withoutServerFields(answer.text)
                    == Self.withoutServerFields(String(decoding: recording.body, as: UTF8.self)))
        }
    }

    private static func withoutServerFields(_ text: String) throws -> String {
        var json = try JSONParser.parse(text)
        for name in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] where json["metadata"] != nil {
            json["metadata"]?[name] = nil
        }
        return json.text
    }

    @Test("an event is patched, and refused a second time, as it was")
    func patchedEvent() async throws {
        try await Self.with { server async throws in
            let create = Recording(name: "events/create-events-v1.json")
            _ = try await RawClient.send(try create.request(token: "proxy"), port: server.port)
            for name in ["events/patch-events-v1-series.json", "events/create-events-v1-again-409.json"] {
                let recording = Recording(name: name)
                let answer = try await RawClient.send(try recording.request(token: "proxy"), port: server.port)
                try compare(recording, answer, sameBody: false)
                #expect(
                    try Self.withoutServerFields(answer.text)
                        == Self.withoutServerFields(String(decoding: recording.body, as: UTF8.self)))
            }
        }
    }

    @Test("health and discovery have the recorded form", arguments: Recording.all("discovery"))
    func discovery(recording: Recording) async throws {
        try await Self.with { server async throws in
            let answer = try await RawClient.send(try recording.request(token: "admin"), port: server.port)
            #expect(answer.status == "200 OK")
            #expect(answer.header("content-type") == (try recording.headers["content-type"]))
            guard recording.name.hasSuffix(".json") else {
                #expect(answer.body == (try recording.body))
                return
            }
            // The stand-in has fewer resources and verbs; what it has is what the server has.
            let recorded = try recording.json
            let ours = try JSONParser.parse(answer.body)
            #expect(ours["kind"] == recorded["kind"])
            for resource in ours["resources"]?.array ?? [] {
                let other = try #require(recorded["resources"]?.array?.first { $0["name"] == resource["name"] })
                for name in ["singularName", "namespaced", "kind", "shortNames"] {
                    #expect(resource[name] == other[name])
                }
                let recordedVerbs = other["verbs"]?.strings ?? []
                let others = (resource["verbs"]?.strings ?? []).filter { !recordedVerbs.contains($0) }
                #expect(others == [])
            }
        }
    }
}
