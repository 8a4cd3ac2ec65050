// Many changes at once, and what becomes of them in the maps: transactions are counted.

import HostCalls
import Testing
import World

@Suite("Bursts of changes", .serialized)
struct BurstTests {
    private static let count = 1000

    /// Services of one port and an endpoint each, in one text.
    private static func services(_ endpoint: Int) -> String {
        (0..<count).map { number in
            var service = TestService(
                name: "burst-\(number)", address: "172.30.\(number / 250).\(number % 250 + 1)",
                endpoints: [Scene.server(endpoint)])
            service.port = 80
            return service.yaml
        }.joined(separator: "\n---\n")
    }

    @Test("SYNC-3: a burst of 1,000 EndpointSlice changes is one transaction")
    func burst() async throws {
        try await withScene { scene in
            for map in ["frontends", "backends", "services"] { scene.mapSizes[map] = 8192 }
            scene.mapSizes["slots"] = 65536
            try scene.publish(Self.services(1), as: "all.yaml")
            let agent = try scene.start(["--audit-interval", "0s", "--grace-period", "1m"])
            let before = try agent.metric("martlet_transactions_total")
            try scene.publish(Self.services(2), as: "all.yaml")
            let web = TestService(name: "burst-999", address: "172.30.3.250", endpoints: [])
            let first = TestService(name: "burst-0", address: "172.30.0.1", endpoints: [])
            #expect(try scene.isServed(web, by: ["web-2"]))
            #expect(try scene.isServed(first, by: ["web-2"]))
            #expect(try agent.metric("martlet_transactions_total") == before + 1)
        }
    }
}
