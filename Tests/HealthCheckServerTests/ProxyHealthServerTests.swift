// /healthz and /livez on a real socket.

import Foundation
import HTTPServing
import HealthCheckServer
import Logging
import NetworkTypes
import Testing

@Suite("The proxy's health server", .timeLimit(.minutes(1)))
struct ProxyHealthServerTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func withServer(
        _ board: HealthBoard, _ body: (AddressAndPort) async throws -> Void
    ) async throws {
        let (addresses, found) = AsyncStream.makeStream(of: AddressAndPort.self)
        let server = ProxyHealthServer(
            .init(address: AddressAndPort("127.0.0.1:0")!), board: board, logger: logger
        ) { found.yield($0) }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            for await address in addresses {
                try await body(address)
                break
            }
            tasks.cancelAll()
        }
    }

    struct Case: Sendable {
        let isStuck: Bool
        let isEligible: Bool
        let healthz: Int
        let livez: Int
    }

    @Test(
        "/healthz counts the node in, /livez does not (HZ-1)",
        arguments: [
            Case(isStuck: false, isEligible: true, healthz: 200, livez: 200),
            Case(isStuck: false, isEligible: false, healthz: 503, livez: 200),
            Case(isStuck: true, isEligible: true, healthz: 503, livez: 503),
        ])
    func statuses(_ testCase: Case) async throws {
        let board = HealthBoard(ProxyHealth(patience: .zero, isNodeEligible: testCase.isEligible))
        if testCase.isStuck { board.change { $0.queued(.ipv4, at: .now) } }
        try await Self.withServer(board) { address in
            try await Asking.expect(testCase.healthz, "/healthz", at: address)
            try await Asking.expect(testCase.livez, "/livez", at: address)
            try await Asking.expect(404, "/other", at: address)
        }
        #expect(board.healthzCounts == [testCase.healthz: 1])
        #expect(board.livezCounts == [testCase.livez: 1])
    }

    @Test("a good answer is as of now, a bad one as of the last sync; both have the families (HZ-2)")
    func bodies() async throws {
        let board = HealthBoard(ProxyHealth(patience: .zero, isNodeEligible: true))
        board.change { $0.synced(at: Date(timeIntervalSince1970: 1_700_000_000)) }
        try await Self.withServer(board) { address in
            let good = try await Asking.get("/healthz", at: address)
            #expect(good.headers.contains("Content-Type: application/json"))
            #expect(good.headers.contains("X-Content-Type-Options: nosniff"))
            #expect(!good.headers.contains { $0.hasPrefix("X-Load-Balancing") })
            let now = try #require(good.json["currentTime"] as? String)
            #expect(good.json["lastUpdated"] as? String == now)
            #expect(good.json["nodeEligible"] as? Bool == true)
            let status = try #require(good.json["status"] as? [String: [String: Any]])
            #expect(Set(status.keys) == ["IPv4", "IPv6"])
            #expect(status["IPv4"]?["healthy"] as? Bool == true)

            board.change { $0.queued(.ipv6, at: .now) }
            let bad = try await Asking.get("/livez", at: address)
            #expect((bad.json["lastUpdated"] as? String)?.hasPrefix("2023-11-14T22:13:20") == true)
            #expect(bad.json["healthy"] as? Bool == false)
            #expect(bad.json["nodeEligible"] == nil)
            let states = try #require(bad.json["status"] as? [String: [String: Any]])
            #expect(states["IPv4"]?["healthy"] as? Bool == true)
            #expect(states["IPv6"]?["healthy"] as? Bool == false)
        }
    }
}
