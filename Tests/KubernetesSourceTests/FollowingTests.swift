// The whole source against a server over real HTTP and TLS: what it asks for, what it tells, and that nothing is lost
// whatever the server does.

import APIServer
import APIServerState
import Foundation
import KubernetesClient
import KubernetesSource
import ServiceModel
import Testing

@Suite("Following an API server", .serialized)
struct FollowingTests {
    @Test("API-1, API-6: over HTTP/2, in protobuf, four streaming lists are asked for and nothing more")
    func http2() async throws {
        try await withServer { server, certificate, _ in
            let follower = Follower(server.access(certificate))
            try await follower.run {
                #expect(await follower.converges(with: server))
                #expect(follower.state.problems.isEmpty)
                #expect(follower.facts.count == 43)
            }
            let entries = server.journal.entries
            #expect(Set(entries.map(\.path)) == Self.paths)
            #expect(entries.allSatisfy { $0.isHTTP2 && $0.accept == "application/vnd.kubernetes.protobuf, */*" })
            #expect(entries.allSatisfy { $0.query["sendInitialEvents"] == "true" })
        }
    }

    @Test("over HTTP/1.1, in JSON, the same is told")
    func http1() async throws {
        try await withServer(http2: false) { server, certificate, _ in
            let follower = Follower(server.access(certificate), wantsJSON: true)
            try await follower.run {
                #expect(await follower.converges(with: server))
                try await server.store.flipReadiness(ofService: 3)
                try await server.store.delete(.services, ObjectKey(namespace: "default", name: "bulk-4"))
                #expect(await follower.converges(with: server))
            }
            let entries = server.journal.entries
            #expect(Set(entries.map(\.path)) == Self.paths)
            #expect(entries.allSatisfy { !$0.isHTTP2 && $0.accept == "application/json" })
        }
    }

    private static let paths: Set = [
        "/api/v1/services", "/api/v1/nodes", "/apis/discovery.k8s.io/v1/endpointslices",
        "/apis/networking.k8s.io/v1/servicecidrs",
    ]

    @Test("API-4: a server without streaming lists is listed page by page, and watched")
    func pagedLists() async throws {
        try await withServer(services: 700) { server, certificate, _ in
            server.add(Fault(.refuseStreamingList))
            // Not from the cache, so that the server honours the limit.
            server.add(Fault(.expire, verb: .list, resource: .services, times: 1))
            let follower = Follower(server.access(certificate))
            try await follower.run {
                #expect(await follower.converges(with: server))
                try await server.store.flipReadiness(ofService: 3)
                #expect(await follower.converges(with: server))
            }
            let lists = server.journal.entries.filter { $0.query["watch"] == nil && $0.path == "/api/v1/services" }
            #expect(lists.first?.query["resourceVersion"] == "0" && lists.first?.query["limit"] == "500")
            #expect(lists.contains { $0.query["continue"] != nil })
        }
    }

    @Test(
        "SYNC-1: nothing is told before Services and EndpointSlices are both complete",
        arguments: [
            Resource.services, .endpointSlices,
        ])
    func gate(_ late: Resource) async throws {
        try await withServer { server, certificate, _ in
            server.add(Fault(.delay(.seconds(3)), resource: late, times: 1))
            let follower = Follower(server.access(certificate))
            try await follower.run {
                let other: FactKind = late == .services ? .endpointSlice : .service
                #expect(await follower.waits { $0.source.states[other]?.isSynced == true })
                #expect(!follower.state.isSynced && follower.facts.isEmpty)
                #expect(await follower.converges(with: server))
            }
        }
    }

    @Test(
        "SYNC-1: the Node is waited for a little, ServiceCIDRs not at all",
        arguments: [
            Resource.nodes, .serviceCIDRs,
        ])
    func notWaitedFor(_ missing: Resource) async throws {
        try await withServer { server, certificate, _ in
            server.add(Fault(.answer(code: 403), resource: missing))
            let follower = Follower(server.access(certificate))
            try await follower.run {
                #expect(await follower.waits(within: .seconds(15)) { $0.state.isSynced })
                #expect(follower.facts.count == 42)
                server.clearFaults()
                #expect(await follower.converges(with: server))
            }
        }
    }

    @Test(
        "API-5, API-8: while the server is away all stays in force; what changed then is found afterwards",
        arguments: [
            true, false,
        ])
    func away(expired: Bool) async throws {
        try await withServer { server, certificate, _ in
            let follower = Follower(server.access(certificate))
            try await follower.run {
                #expect(await follower.converges(with: server))
                let before = follower.facts
                await server.goAway()
                try await server.store.delete(.services, ObjectKey(namespace: "default", name: "bulk-1"))
                try await server.store.flipReadiness(ofService: 2)
                // The history is gone as well: only a new list can tell of the deletion.
                if expired { await server.store.compact() }
                #expect(await follower.waits { $0.source.states[.service]?.failure != nil })
                #expect(follower.facts == before)
                try await server.comeBack()
                #expect(await follower.converges(with: server))
                #expect(follower.facts.count == before.count - 2)
                #expect(await follower.waits { $0.source.states.values.allSatisfy { $0.failure == nil } })
            }
        }
    }

    @Test(
        "API-5: whatever a server does wrong, what is told ends up as what it has",
        arguments: [
            Fault(.cut, times: 4), Fault(.answer(code: 500), times: 6), Fault(.answer(code: 401), times: 4),
            Fault(.answer(code: 429, retryAfterSeconds: 1), times: 4), Fault(.expire, times: 4),
            Fault(.cutFrame(afterEvents: 3), verb: .watch, times: 4), Fault(.duplicateEvents),
            Fault(.reorderEvents), Fault(.delay(.milliseconds(500)), times: 4),
        ])
    func faults(_ fault: Fault) async throws {
        try await withServer { server, certificate, _ in
            server.add(fault)
            let follower = Follower(server.access(certificate))
            try await follower.run {
                #expect(await follower.converges(with: server))
                server.add(fault)
                server.cutWatches()
                for index in 0..<10 { try await server.store.flipReadiness(ofService: index) }
                try await server.store.delete(.services, ObjectKey(namespace: "default", name: "bulk-9"))
                #expect(await follower.converges(with: server))
            }
        }
    }

    @Test("a connection that stands and says nothing is given up", arguments: [true, false])
    func stalled(http2: Bool) async throws {
        try await withServer(http2: http2) { server, certificate, _ in
            let follower = Follower(server.access(certificate), silence: .seconds(1))
            try await follower.run {
                #expect(await follower.converges(with: server))
                server.stall()
                try await server.store.delete(.services, ObjectKey(namespace: "default", name: "bulk-1"))
                #expect(await follower.waits { $0.source.states[.service]?.failure != nil })
                server.release()
                #expect(await follower.converges(with: server))
            }
        }
    }

    @Test("of an object that changes all the time the newest value alone is kept for a taker that is slow")
    func flood() async throws {
        try await withServer { server, certificate, _ in
            let follower = Follower(server.access(certificate))
            try await follower.run {
                #expect(await follower.converges(with: server))
                follower.pause(true)
                let before = follower.state
                for _ in 0..<201 { try await server.store.flipReadiness(ofService: 5) }
                let last = "\(await server.store.revision)"
                #expect(await follower.waits { $0.source.states[.endpointSlice]?.resourceVersion == last })
                follower.pause(false)
                #expect(await follower.converges(with: server))
                #expect(follower.state.updates == before.updates + 1)
                #expect(follower.state.changes == before.changes + 1)
            }
        }
    }

    @Test("SVC-8, SVC-9: labels take a service or a slice out of use and back in while it is watched")
    func labels() async throws {
        try await withServer { server, certificate, _ in
            let follower = Follower(server.access(certificate))
            try await follower.run {
                #expect(await follower.converges(with: server))
                let service = ObjectKey(namespace: "default", name: "bulk-1")
                let slice = ObjectKey(namespace: "default", name: "bulk-2-slice")
                let count = follower.facts.count
                try await server.store.patch(.services, service) { (object) throws(APIStatus) in
                    var object = object
                    object["metadata"]?["labels"]?["service.kubernetes.io/service-proxy-name"] = ""
                    return object
                }
                try await server.store.patch(.endpointSlices, slice) { (object) throws(APIStatus) in
                    var object = object
                    object["metadata"]?["labels"]?["service.kubernetes.io/headless"] = ""
                    return object
                }
                #expect(await follower.converges(with: server))
                #expect(follower.facts.count == count - 2)
                try await server.store.patch(.services, service) { (object) throws(APIStatus) in
                    var object = object
                    object["metadata"]?["labels"]?["service.kubernetes.io/service-proxy-name"] = nil
                    return object
                }
                #expect(await follower.converges(with: server))
                #expect(follower.facts.count == count - 1)
            }
        }
    }

    @Test("a long random run of changes and faults ends as the server is", arguments: [1, 2, 3] as [UInt64])
    func randomRun(_ seed: UInt64) async throws {
        try await withServer { server, certificate, _ in
            let follower = Follower(server.access(certificate), wantsJSON: seed == 3, silence: .seconds(2))
            try await follower.run {
                var run = RandomRun(server: server, seed: seed)
                for _ in 0..<150 { try await run.step() }
                server.clearFaults()
                server.release()
                #expect(await follower.converges(with: server, within: .seconds(120)))
            }
        }
    }
}
