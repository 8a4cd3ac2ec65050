// The stand-in misbehaves as it is told, and only then.

import APIServer
import APIServerState
import NIOCore
import Testing

@Suite("Faults of the API server stand-in")
struct FaultTests {
    private static let services = "/api/v1/services"

    private static func names(_ answer: RawAnswer) throws -> [String] {
        (try JSONParser.parse(answer.body)["items"]?.array ?? []).compactMap { $0.at("metadata", "name")?.string }
    }

    /// Type and name of each whole event.
    static func events(_ answer: RawAnswer) -> [String] {
        answer.body.split(separator: 0x0a).compactMap { line in
            guard let json = try? JSONParser.parse(Array(line)) else { return nil }
            return "\(json["type"]?.string ?? "") \(json.at("object", "metadata", "name")?.string ?? "")"
        }
    }

    @Test("an answer on demand is given as often as asked, to what matches")
    func answers() async throws {
        try await APIServer.with { server async throws in
            server.add(Fault(.answer(code: 503, retryAfterSeconds: 7), verb: .list, resource: .services, times: 2))
            #expect(try await RawClient.get("/api/v1/nodes", port: server.port).status == "200 OK")
            for _ in 1...2 {
                let answer = try await RawClient.get(Self.services, port: server.port)
                #expect(answer.status == "503 Service Unavailable")
                #expect(answer.header("retry-after") == "7")
                #expect(try JSONParser.parse(answer.body)["reason"] == "ServiceUnavailable")
            }
            #expect(try await RawClient.get(Self.services, port: server.port).status == "200 OK")
        }
    }

    @Test("a cut connection has no answer")
    func cut() async throws {
        try await APIServer.with { server async throws in
            server.add(Fault(.cut, times: 1))
            #expect(try await RawClient.bytes(RawClient.request("GET", Self.services), port: server.port) == [])
            #expect(try await RawClient.get(Self.services, port: server.port).status == "200 OK")
        }
    }

    @Test("a stalled server accepts connections and sends no byte, until it is released")
    func stall() async throws {
        try await APIServer.with { server async throws in
            let request = RawClient.request("GET", Self.services)
            server.stall()
            #expect(try await RawClient.bytes(request, port: server.port, stopAfter: .milliseconds(300)) == [])
            async let late = RawClient.send(request, port: server.port)
            while server.openConnections == 0 { try await Task.sleep(for: .milliseconds(5)) }
            server.release()
            #expect(try await late.status == "200 OK")
            server.add(Fault(.stall, verb: .list, times: 1))
            #expect(try await RawClient.bytes(request, port: server.port, stopAfter: .milliseconds(300)) == [])
            #expect(try await RawClient.send(request, port: server.port).status == "200 OK")
        }
    }

    @Test("a slow answer is late by the time asked for")
    func delay() async throws {
        try await APIServer.with { server async throws in
            server.add(Fault(.delay(.milliseconds(300)), times: 1))
            let start = ContinuousClock.now
            #expect(try await RawClient.get(Self.services, port: server.port).status == "200 OK")
            let time = ContinuousClock.now - start
            #expect(time >= .milliseconds(300))
        }
    }

    @Test("expired lists are 410, expired watches are an ERROR event and a normal end")
    func expire() async throws {
        try await APIServer.with { server async throws in
            server.add(Fault(.expire, times: 2))
            #expect(try await RawClient.get(Self.services, port: server.port).status == "410 Gone")
            let watch = try await RawClient.get("\(Self.services)?watch=true&resourceVersion=5", port: server.port)
            #expect(watch.status == "200 OK")
            #expect(watch.isComplete)
            let event = try JSONParser.parse(watch.body)
            #expect(event["type"] == "ERROR")
            #expect(event.at("object", "code") == 410)
        }
    }

    @Test("a compaction expires older watches, lists and continue tokens, and nothing newer")
    func compaction() async throws {
        try await APIServer.with { server async throws in
            try await server.store.makeServices(5, endpointsEach: 1)
            let page = try await RawClient.get("\(Self.services)?limit=2", port: server.port)
            let token = try #require(try JSONParser.parse(page.body).at("metadata", "continue")?.string)
            let old = await server.store.revision
            try await server.store.makeServices(6, endpointsEach: 1)
            await server.store.compact()
            let now = await server.store.revision
            let next = try await RawClient.get("\(Self.services)?limit=2&continue=\(token)", port: server.port)
            #expect(next.status == "410 Gone")
            let other = try #require(try JSONParser.parse(next.body).at("metadata", "continue")?.string)
            let rest = try await RawClient.get("\(Self.services)?continue=\(other)", port: server.port)
            #expect(try Self.names(rest) == ["bulk-2", "bulk-3", "bulk-4", "bulk-5", "kubernetes"])
            let exact = try await RawClient.get(
                "\(Self.services)?resourceVersion=\(old)&resourceVersionMatch=Exact", port: server.port)
            #expect(exact.status == "410 Gone")
            let watch = "\(Self.services)?watch=true&timeoutSeconds=1&resourceVersion="
            #expect(Self.events(try await RawClient.get("\(watch)\(old)", port: server.port)) == ["ERROR "])
            #expect(Self.events(try await RawClient.get("\(watch)\(now)", port: server.port)) == [])
        }
    }

    @Test("a stale list shows an older state under its older resourceVersion")
    func stale() async throws {
        try await APIServer.with { server async throws in
            let old = await server.store.revision
            try await server.store.makeServices(1, endpointsEach: 1)
            server.add(Fault(.stale(revision: old), verb: .list, times: 1))
            let stale = try await RawClient.get(Self.services, port: server.port)
            #expect(try Self.names(stale) == ["kubernetes"])
            #expect(try JSONParser.parse(stale.body).at("metadata", "resourceVersion") == .string(String(old)))
            #expect(
                try Self.names(try await RawClient.get(Self.services, port: server.port)) == ["bulk-0", "kubernetes"])
        }
    }

    @Test("a cut frame is half an event after whole ones, or half a list")
    func cutFrame() async throws {
        try await APIServer.with { server async throws in
            try await server.store.makeServices(3, endpointsEach: 1)
            server.add(Fault(.cutFrame(afterEvents: 2), times: 2))
            let watch = try await RawClient.get("\(Self.services)?watch=true", port: server.port)
            #expect(Self.events(watch) == ["ADDED bulk-0", "ADDED bulk-1"])
            #expect(watch.body.last != 0x0a)
            #expect(!watch.isComplete)
            let list = try await RawClient.get(Self.services, port: server.port)
            #expect(!list.isComplete)
            #expect(list.body.count == Int(list.header("content-length") ?? "").map { $0 / 2 })
        }
    }

    @Test("events come twice, or in pairs the wrong way round")
    func duplicatesAndDisorder() async throws {
        try await APIServer.with { server async throws in
            let start = await server.store.revision
            try await server.store.makeServices(2, endpointsEach: 1)
            let path = "\(Self.services)?watch=true&timeoutSeconds=1&resourceVersion=\(start)"
            server.add(Fault(.duplicateEvents, verb: .watch, times: 1))
            let twice = Self.events(try await RawClient.get(path, port: server.port))
            #expect(twice == ["ADDED bulk-0", "ADDED bulk-0", "ADDED bulk-1", "ADDED bulk-1"])
            server.add(Fault(.reorderEvents, verb: .watch, times: 1))
            let swapped = Self.events(try await RawClient.get(path, port: server.port))
            #expect(swapped == ["ADDED bulk-1", "ADDED bulk-0"])
        }
    }

    @Test("watches are cut without a last chunk, or ended with one")
    func watchesEnd() async throws {
        try await APIServer.with { server async throws in
            for isCut in [true, false] {
                async let watch = RawClient.get("\(Self.services)?watch=true", port: server.port)
                while server.openWatches == 0 { try await Task.sleep(for: .milliseconds(5)) }
                try await Task.sleep(for: .milliseconds(100))
                if isCut { server.cutWatches() } else { server.endWatches() }
                #expect(try await watch.isComplete != isCut)
                while server.openWatches > 0 { try await Task.sleep(for: .milliseconds(5)) }
            }
        }
    }

    @Test("a server that is away refuses connections, and comes back on its port with its state")
    func away() async throws {
        try await APIServer.with { server async throws in
            let port = server.port
            await server.goAway()
            await #expect(throws: (any Error).self) { try await RawClient.get(Self.services, port: port) }
            try await server.store.makeServices(1, endpointsEach: 1)
            try await server.comeBack()
            #expect(try Self.names(try await RawClient.get(Self.services, port: port)) == ["bulk-0", "kubernetes"])
        }
    }

    @Test("a storm makes as many changes as asked for, and a watch sees each")
    func storm() async throws {
        try await APIServer.with { server async throws in
            try await server.store.makeServices(10, endpointsEach: 2)
            let start = await server.store.revision
            let path = "/apis/discovery.k8s.io/v1/endpointslices?watch=true&timeoutSeconds=3&resourceVersion=\(start)"
            async let watch = RawClient.get(path, port: server.port)
            let made = try await server.storm(changesPerSecond: 200, for: .seconds(1), services: 10)
            #expect(made == 200)
            #expect(Self.events(try await watch).count == 200)
            #expect(await server.store.revision == start + 200)
        }
    }
}
