// Events on their way to a server over real HTTPS: what arrives, and what becomes of them when it does not.

import APIServer
import APIServerState
import Foundation
import KubernetesClient
import KubernetesEvents
import Logging
import ServiceModel
import Testing

@Suite("Sending events", .serialized)
struct EventRecorderTests {
    private static let service = ObjectIdentity(kind: .service, name: ObjectName(namespace: "default", name: "web"))

    private static func warning(_ note: String = "the port is taken") -> EventNotice {
        EventNotice(
            .warning, regarding: EventObject(service, uid: "0f0e0d0c-0000-4000-8000-000000000001"),
            reason: "FailedToStartServiceHealthcheck", action: "Listen", note: note)
    }

    @Test(
        "API-7, API-9: a node proxy's token may make events and go on with their series, and nothing is missing in them"
    )
    func arrives() async throws {
        try await Self.run { server, recorder in
            recorder.record(
                EventNotice(
                    .normal, regarding: .node("worker-1"), reason: "Starting", action: "StartKubeProxy", note: ""))
            recorder.record(Self.warning())
            #expect(await Self.waits { recorder.counters.created == 2 })
            recorder.record(Self.warning())
            #expect(await Self.waits { recorder.counters.updated == 1 })
            let events = try await Self.events(of: server)
            try #require(events.count == 2)
            let starting = try #require(events.first { $0["reason"] == "Starting" })
            #expect(starting.at("metadata", "namespace") == "default")
            #expect(
                starting["regarding"] == ["kind": "Node", "name": "worker-1", "uid": "worker-1", "apiVersion": "v1"])
            #expect(starting["type"] == "Normal" && starting["series"] == nil)
            #expect(starting["reportingController"] == "martlet")
            #expect(starting["reportingInstance"] == "martlet-worker-1")
            let failed = try #require(events.first { $0["reason"] == "FailedToStartServiceHealthcheck" })
            #expect(failed["note"] == "the port is taken" && failed["action"] == "Listen")
            #expect(
                failed["regarding"] == [
                    "kind": "Service", "namespace": "default", "name": "web",
                    "uid": "0f0e0d0c-0000-4000-8000-000000000001", "apiVersion": "v1",
                ])
            #expect(failed.at("series", "count") == 2)
            let time = try #require(failed["eventTime"]?.string)
            #expect(
                time.count == "2026-01-02T03:04:05.000006Z".count
                    && time < "\(failed.at("series", "lastObservedTime")?.string ?? "")")
        }
    }

    @Test("API-7: nobody waits while the server is away; what waits is sent when it is back, once")
    func away() async throws {
        try await Self.run(attempts: 1000) { server, recorder in
            await server.goAway()
            for _ in 0..<3 { recorder.record(Self.warning()) }
            try await Task.sleep(for: .milliseconds(300))
            #expect(recorder.counters.created == 0)
            try await server.comeBack()
            #expect(await Self.waits { recorder.counters.created == 1 })
            #expect(try await Self.events(of: server).map { $0.at("series", "count") } == [3])
        }
    }

    @Test("API-7: what a server refuses, or does not take for long, is dropped and counted; the next event is sent")
    func refused() async throws {
        try await Self.run { server, recorder in
            server.add(Fault(.answer(code: 403), verb: .create, times: 1))
            recorder.record(Self.warning("one"))
            #expect(await Self.waits { recorder.counters.dropped == [.refused: 1] })
            // As often as it is tried.
            server.add(Fault(.answer(code: 503), verb: .create, times: 4))
            recorder.record(Self.warning("two"))
            #expect(await Self.waits { recorder.counters.dropped == [.refused: 1, .unreachable: 1] })
            server.add(Fault(.answer(code: 429, retryAfterSeconds: 1), verb: .create, times: 1))
            recorder.record(Self.warning("three"))
            #expect(await Self.waits { recorder.counters.created == 1 })
            let notes = try await Self.events(of: server).map { $0["note"] }
            #expect(notes == ["three"])
        }
    }

    @Test("an event that is gone is made again when its series goes on")
    func gone() async throws {
        try await Self.run { server, recorder in
            recorder.record(Self.warning())
            #expect(await Self.waits { recorder.counters.created == 1 })
            for event in try await server.store.list(.init(Selection(.events))).objects {
                try await server.store.delete(.events, event.key)
            }
            recorder.record(Self.warning())
            #expect(await Self.waits { recorder.counters.created == 2 })
            #expect(try await Self.events(of: server).map { $0.at("series", "count") } == [2])
        }
    }

    // MARK: Around it

    private static func events(of server: APIServer) async throws -> [JSON] {
        try await server.store.list(.init(Selection(.events))).objects.map(\.json)
    }

    private static func waits(_ isDone: () async throws -> Bool) async rethrows -> Bool {
        let end = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < end {
            if try await isDone() { return true }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    /// A server that asks for a token, and a recorder that has a node proxy's.
    private static func run(
        attempts: Int = 4, _ body: @escaping @Sendable (APIServer, EventRecorder) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("events-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let certificate = try ServerCertificate.make(in: folder)
        var settings = ServerSettings()
        settings.security = .tls(certificate)
        settings.users = ["t": User(name: "system:kube-proxy", role: .nodeProxier)]
        try await APIServer.with(settings) { server in
            var access = ClusterAccess(servers: [ServerAddress(host: "127.0.0.1", port: server.port)])
            access.authority = .file(certificate.authority)
            access.token = .fixed(Secret("t"))
            let client = APIClient(access: access, log: log)
            var timing = EventRecorder.Timing()
            timing.attempts = attempts
            timing.pause = .milliseconds(100)
            let recorder = EventRecorder(
                client: client, reporter: EventReporter(controller: "martlet", instance: "martlet-worker-1"),
                timing: timing, log: log)
            await withTaskGroup { group in
                group.addTask { await recorder.run() }
                do {
                    try await body(server, recorder)
                } catch {
                    Issue.record(error)
                }
                group.cancelAll()
            }
            await client.shutDown()
        }
    }
}
