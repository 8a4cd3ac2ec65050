// An address that cannot be had: an error that names it, or another attempt until it can.

import HTTPServing
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NetworkTypes
import ServiceLifecycle
import Telemetry
import Testing

@Suite("Where the metrics server listens", .timeLimit(.minutes(1)))
struct ListenTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func server(
        _ address: AddressAndPort, retry: Duration?, didListen: @escaping @Sendable (AddressAndPort) -> Void = { _ in }
    ) -> HTTPServer {
        HTTPServer(.init(address: address, bindRetry: retry), logger: logger, didListen: didListen) { _ in
            .plain(.ok)
        }
    }

    @Test("without retry a taken address is an error that names it")
    func takenAddress() async throws {
        try await withHTTPServer { address, _ in
            let error = await #expect(throws: ListenError.self) {
                try await Self.server(address, retry: nil).run()
            }
            #expect(error?.address == address)
            #expect(error?.description == "cannot listen on \(address): another socket listens there (errno 98)")
        }
    }

    @Test("an address that the node does not have is an error that says so")
    func foreignAddress() async throws {
        let address = AddressAndPort("192.0.2.1:0")!
        let error = await #expect(throws: ListenError.self) {
            try await Self.server(address, retry: nil).run()
        }
        #expect(error?.description == "cannot listen on 192.0.2.1:0: this node does not have the address (errno 99)")
    }

    @Test("IPv6 is served, and named in brackets")
    func ipv6() async throws {
        let (addresses, found) = AsyncStream.makeStream(of: AddressAndPort.self)
        let server = Self.server(AddressAndPort("[::1]:0")!, retry: nil) { found.yield($0) }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await server.run() }
            for await address in addresses {
                #expect("\(address)".hasPrefix("[::1]:"))
                let answer = try await Client.exchange(address, "GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
                break
            }
            tasks.cancelAll()
        }
    }

    @Test("a taken address is tried again, and served soon after it is free (HZ-5)")
    func retry() async throws {
        let (addresses, found) = AsyncStream.makeStream(of: AddressAndPort.self)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            var taken: AddressAndPort?
            try await withHTTPServer { address, _ in
                taken = address
                let server = Self.server(address, retry: .milliseconds(20)) { found.yield($0) }
                tasks.addTask { try await server.run() }
                try await Task.sleep(for: .milliseconds(100))
            }
            for await address in addresses {
                #expect(address == taken)
                break
            }
            tasks.cancelAll()
        }
    }

    @Test("shutdown ends the wait for an address")
    func shutdownWhileWaiting() async throws {
        try await withHTTPServer { address, _ in
            let waiting = Self.server(address, retry: .seconds(3600))
            let group = ServiceGroup(
                configuration: .init(services: [.init(service: waiting)], logger: Self.logger))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                try await Task.sleep(for: .milliseconds(100))
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    @Test("a listener may close at any moment, whoever connects just then")
    func closeWhileConnecting() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        for _ in 0..<150 {
            let listener = try await HTTPListener.listen(
                on: AddressAndPort("127.0.0.1:0")!, limits: HTTPLimits(), group: group)
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await listener.serve(logger: Self.logger) { _ in .plain(.ok) } }
                let clients = (0..<8).map { _ in
                    ClientBootstrap(group: group).connect(host: "127.0.0.1", port: Int(listener.address.port))
                }
                await listener.close()
                for client in clients { try? await client.get().close() }
                try await tasks.waitForAll()
            }
        }
    }
}
