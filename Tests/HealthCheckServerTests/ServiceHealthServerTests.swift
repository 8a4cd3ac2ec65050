// Health-check node ports on real sockets of the loopback address: what is answered, and when somebody listens.

import HTTPServing
import HealthCheckServer
import Logging
import NetworkTypes
import ServiceModel
import Testing

@Suite("Health-check node ports", .timeLimit(.minutes(1)))
struct ServiceHealthServerTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let web = ObjectName(namespace: "shop", name: "web")
    private static let loopback = PerFamily(ipv4: [IPAddress("127.0.0.1")!], ipv6: [IPAddress("::1")!])

    private static func withServer(
        _ body: (ServiceHealthServer, HealthBoard) async throws -> Void
    ) async throws {
        let board = HealthBoard(ProxyHealth(patience: .zero, isNodeEligible: false))
        let server = ServiceHealthServer(board: board, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            do {
                try await body(server, board)
            } catch {
                tasks.cancelAll()
                throw error
            }
            tasks.cancelAll()
        }
    }

    private static func health(_ port: UInt16, ipv4: Int? = nil, ipv6: Int? = nil) -> ServiceHealth {
        ServiceHealth(port: port, localReady: PerFamily(ipv4: ipv4, ipv6: ipv6))
    }

    @Test(
        "is 200 with ready local endpoints, 503 without, whatever path and method (HC-2, HC-5)",
        arguments: [(2, 200), (0, 503)])
    func answers(_ count: Int, _ status: Int) async throws {
        try await Self.withServer { server, _ in
            let port = try FreePort.find()
            let failures = await server.sync([Self.web: Self.health(port, ipv4: count)], addresses: Self.loopback)
            #expect(failures.isEmpty)
            for line in ["GET /", "POST /any/path", "DELETE /healthz"] {
                let answer = try await Asking.send(line, to: AddressAndPort("127.0.0.1:\(port)")!)
                #expect(answer.status == status)
                #expect(answer.headers.contains("Content-Type: application/json"))
                #expect(answer.headers.contains("X-Content-Type-Options: nosniff"))
                #expect(answer.headers.contains("X-Load-Balancing-Endpoint-Weight: \(count)"))
                #expect(answer.json["localEndpoints"] as? Int == count)
                #expect(answer.json["serviceProxyHealthy"] as? Bool == true)
                #expect(answer.json["service"] as? [String: String] == ["namespace": "shop", "name": "web"])
            }
        }
    }

    @Test("is 503 while the proxy is unhealthy, and does not ask about the node (HC-2)")
    func proxyHealth() async throws {
        try await Self.withServer { server, board in
            let port = try FreePort.find()
            await server.sync([Self.web: Self.health(port, ipv4: 1)], addresses: Self.loopback)
            let address = AddressAndPort("127.0.0.1:\(port)")!
            try await Asking.expect(200, "/", at: address)
            board.change { $0.queued(.ipv4, at: .now) }
            let answer = try await Asking.get("/", at: address)
            #expect(answer.status == 503)
            #expect(answer.json["serviceProxyHealthy"] as? Bool == false)
            #expect(answer.json["localEndpoints"] as? Int == 1)
        }
    }

    @Test("each family has its own listener and count (HC-4, DS-1)")
    func families() async throws {
        try await Self.withServer { server, _ in
            let port = try FreePort.find()
            await server.sync([Self.web: Self.health(port, ipv4: 0, ipv6: 3)], addresses: Self.loopback)
            try await Asking.expect(503, "/", at: AddressAndPort("127.0.0.1:\(port)")!)
            try await Asking.expect(200, "/", at: AddressAndPort("[::1]:\(port)")!)
            await server.sync([Self.web: Self.health(port, ipv4: 1)], addresses: Self.loopback)
            try await Asking.expect(200, "/", at: AddressAndPort("127.0.0.1:\(port)")!)
            await Asking.expectRefused(AddressAndPort("[::1]:\(port)")!)
        }
    }

    @Test("wildcard listeners of both families live side by side (HC-4)")
    func wildcards() async throws {
        try await Self.withServer { server, _ in
            let port = try FreePort.find()
            let everywhere = PerFamily(ipv4: [IPAddress("0.0.0.0")!], ipv6: [IPAddress("::")!])
            let failures = await server.sync(
                [Self.web: Self.health(port, ipv4: 1, ipv6: 0)], addresses: everywhere)
            #expect(failures.isEmpty)
            try await Asking.expect(200, "/", at: AddressAndPort("127.0.0.1:\(port)")!)
            try await Asking.expect(503, "/", at: AddressAndPort("[::1]:\(port)")!)
        }
    }

    @Test("a port that changes or goes is given up (HC-1, HC-7)")
    func changes() async throws {
        try await Self.withServer { server, _ in
            let (port, other) = (try FreePort.find(), try FreePort.find())
            await server.sync([Self.web: Self.health(port, ipv4: 1)], addresses: Self.loopback)
            await server.sync([Self.web: Self.health(other, ipv4: 1)], addresses: Self.loopback)
            await Asking.expectRefused(AddressAndPort("127.0.0.1:\(port)")!)
            try await Asking.expect(200, "/", at: AddressAndPort("127.0.0.1:\(other)")!)
            await server.sync([:], addresses: Self.loopback)
            await Asking.expectRefused(AddressAndPort("127.0.0.1:\(other)")!)
        }
    }

    @Test("listeners move when the node's addresses change (HC-4)")
    func moves() async throws {
        try await Self.withServer { server, _ in
            let port = try FreePort.find()
            let wanted = [Self.web: Self.health(port, ipv4: 1, ipv6: 1)]
            func sync(_ ipv4: String...) async {
                let addresses = PerFamily(ipv4: ipv4.map { IPAddress($0)! }, ipv6: [IPAddress("::1")!])
                let failures = await server.sync(wanted, addresses: addresses)
                #expect(failures.isEmpty)
            }
            await sync("127.0.0.1")
            await sync("127.0.0.2", "127.0.0.3")
            await Asking.expectRefused(AddressAndPort("127.0.0.1:\(port)")!)
            for address in ["127.0.0.2", "127.0.0.3"] {
                try await Asking.expect(200, "/", at: AddressAndPort("\(address):\(port)")!)
            }
            await sync()
            for address in ["127.0.0.2", "127.0.0.3"] {
                await Asking.expectRefused(AddressAndPort("\(address):\(port)")!)
            }
            await sync("127.0.0.1")
            try await Asking.expect(200, "/", at: AddressAndPort("127.0.0.1:\(port)")!)
            try await Asking.expect(200, "/", at: AddressAndPort("[::1]:\(port)")!)
        }
    }

    @Test("a port that is taken is reported and tried again; other services are served (HC-6)")
    func takenPort() async throws {
        try await Self.withServer { server, _ in
            let free = try FreePort.find()
            let taken = try FreePort()
            let wanted = [
                Self.web: Self.health(taken.port, ipv4: 1),
                ObjectName(namespace: "shop", name: "other"): Self.health(free, ipv4: 1),
            ]
            let failures = await server.sync(wanted, addresses: Self.loopback)
            #expect(failures.map(\.service) == [Self.web])
            #expect(failures.first?.reason.contains("another socket listens there") == true)
            let hasFailed = await server.hasFailed
            #expect(hasFailed)
            try await Asking.expect(200, "/", at: AddressAndPort("127.0.0.1:\(free)")!)
            let port = taken.port
            taken.giveUp()
            let none = await server.sync(wanted, addresses: Self.loopback)
            #expect(none.isEmpty)
            try await Asking.expect(200, "/", at: AddressAndPort("127.0.0.1:\(port)")!)
        }
    }
}
