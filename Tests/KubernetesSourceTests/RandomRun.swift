// Random changes of a server's objects, and random faults of the server, the same for the same seed.

import APIServer
import APIServerState
import KubernetesSource

struct RandomRun {
    let server: APIServer
    private var random: Numbers

    init(server: APIServer, seed: UInt64) {
        self.server = server
        random = Numbers(state: seed)
    }

    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    mutating func step() async throws {
        switch Int.random(in: 0..<12, using: &random) {
        case 0...5: try await change()
        case 6: server.add(Fault(.answer(code: [500, 503, 401].randomElement(using: &random) ?? 500), times: 1))
        case 7: server.add(Fault(.answer(code: 429, retryAfterSeconds: 1), times: 1))
        case 8: server.add(Fault(.expire, times: 1))
        case 9: server.add(Fault(.cutFrame(afterEvents: Int.random(in: 0..<3, using: &random)), times: 1))
        case 10: server.cutWatches()
        default:
            if Int.random(in: 0..<4, using: &random) == 0 { await server.store.compact() }
            server.add(Fault(.duplicateEvents, times: 1))
            try await Task.sleep(for: .milliseconds(Int.random(in: 0..<300, using: &random)))
        }
    }

    private mutating func change() async throws {
        let index = Int.random(in: 0..<40, using: &random)
        let key = ObjectKey(namespace: "default", name: "bulk-\(index)")
        let isThere = await server.store.object(.services, key) != nil
        switch Int.random(in: 0..<4, using: &random) {
        case 0 where isThere: try await server.store.delete(.services, key)
        case 1: try await server.store.makeServices(index + 1, endpointsEach: 2)
        case 2 where isThere:
            let port = Int64.random(in: 1000..<2000, using: &random)
            try await server.store.patch(.services, key) { (object) throws(APIStatus) in
                var object = object
                object["spec"]?["ports"] = [["name": "http", "port": .integer(port), "targetPort": 8080]]
                return object
            }
        default: if isThere { try await server.store.flipReadiness(ofService: index) }
        }
    }
}
