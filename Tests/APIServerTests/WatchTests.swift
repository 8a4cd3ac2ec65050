// What a watch shows, beyond what was recorded.

import APIServer
import APIServerState
import Testing

@Suite("Watches of the API server stand-in")
struct WatchTests {
    private static let key = ObjectKey(namespace: "default", name: "web")

    private static func service(_ labels: JSON = [:]) -> JSON {
        ["metadata": ["name": "web", "labels": labels], "spec": ["ports": [["port": 80]]]]
    }

    @Test("an object that leaves the selection is DELETED in its last state inside, and ADDED when it is back")
    func selection() async throws {
        try await APIServer.with { server async throws in
            let start = await server.store.revision
            try await server.store.create(.services, namespace: "default", Self.service(["team": "a"]))
            for patch: JSON in [
                ["metadata": ["labels": ["hidden": "yes"]]], ["metadata": ["labels": ["hidden": .null]]],
            ] {
                try await server.store.patch(.services, Self.key) { (object) throws(APIStatus) in
                    MergePatch.merge(patch, into: object)
                }
            }
            let path = "/api/v1/services?watch=true&timeoutSeconds=1&labelSelector=%21hidden&resourceVersion=\(start)"
            let answer = try await RawClient.get(path, port: server.port)
            #expect(FaultTests.events(answer) == ["ADDED web", "DELETED web", "ADDED web"])
            let gone = try JSONParser.parse(Array(answer.body.split(separator: 0x0a)[1]))
            #expect(gone.at("object", "metadata", "labels") == ["team": "a"])
            #expect(gone.at("object", "metadata", "resourceVersion") == .string(String(start + 2)))
        }
    }

    @Test("bookmarks come at their interval and carry the server's revision, to those who allow them")
    func bookmarks() async throws {
        var settings = ServerSettings()
        settings.bookmarkInterval = .milliseconds(300)
        try await APIServer.with(settings) { server async throws in
            // A change of another resource: the watch has nothing to show, and its place moves on.
            try await server.store.create(.nodes, ["metadata": ["name": "node1"]])
            let now = await server.store.revision
            let path = "/api/v1/services?watch=true&timeoutSeconds=1&resourceVersion=\(now - 1)"
            let allowed = try await RawClient.get("\(path)&allowWatchBookmarks=true", port: server.port)
            let lines = try allowed.body.split(separator: 0x0a).map { try JSONParser.parse(Array($0)) }
            #expect((2...3).contains(lines.count))
            #expect(lines.allSatisfy { $0["type"] == "BOOKMARK" })
            #expect(lines.last?.at("object", "metadata", "resourceVersion") == .string(String(now)))
            #expect(FaultTests.events(try await RawClient.get(path, port: server.port)) == [])
        }
    }

    @Test("a change reaches an open watch at once")
    func immediacy() async throws {
        try await APIServer.with { server async throws in
            let now = await server.store.revision
            let path = "/api/v1/services?watch=true&timeoutSeconds=30&resourceVersion=\(now)"
            async let watch = RawClient.send(
                RawClient.request("GET", path), port: server.port, stopAfter: .seconds(25))
            while server.openWatches == 0 { try await Task.sleep(for: .milliseconds(5)) }
            try await server.store.create(.services, namespace: "default", Self.service())
            try await Task.sleep(for: .milliseconds(500))
            server.cutWatches()
            #expect(FaultTests.events(try await watch) == ["ADDED web"])
        }
    }

    @Test("a deleted service's slices go after it, in changes of their own")
    func garbage() async throws {
        try await APIServer.with { server async throws in
            try await server.store.makeServices(1, endpointsEach: 1)
            let key = ObjectKey(namespace: "default", name: "bulk-0")
            let gone = try await server.store.delete(.services, key)
            #expect(await server.store.count(.endpointSlices) == 0)
            let (changes, _) = try await server.store.changes(of: .endpointSlices, after: gone.revision)
            #expect(changes.map(\.revision) == [gone.revision + 1])
        }
    }
}
