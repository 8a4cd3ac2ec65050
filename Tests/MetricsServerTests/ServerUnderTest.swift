// A metrics server on the loopback address, for as long as a test needs it, and a client that sees every byte.

import HTTPServing
import Logging
import MetricsServer
import NIOCore
import NIOHTTP1
import NIOPosix
import NetworkTypes
import ServiceLifecycle
import Telemetry

/// Runs a metrics server on a port of the kernel's choosing, and shuts it down when the body is done or fails.
func withMetricsServer(
    page: @escaping @Sendable () async -> MetricsPage = { MetricsPage([]) },
    pages: [String: MetricsServer.Page] = [:],
    _ body: (AddressAndPort, ServiceGroup) async throws -> Void
) async throws {
    try await withService(
        HTTPLimits(),
        { configuration, logger, didListen in
            MetricsServer(configuration, logger: logger, didListen: didListen, metrics: page, pages: pages)
        }, body)
}

/// The same with an HTTP server that gives every request the same answer.
func withHTTPServer(
    _ limits: HTTPLimits = HTTPLimits(), answer: String = "ok\n",
    _ body: (AddressAndPort, ServiceGroup) async throws -> Void
) async throws {
    try await withService(
        limits,
        { configuration, logger, didListen in
            HTTPServer(configuration, logger: logger, didListen: didListen) { _ in
                HTTPAnswer(status: .ok, body: answer)
            }
        }, body)
}

private func withService(
    _ limits: HTTPLimits,
    _ make: (HTTPServer.Configuration, Logger, @escaping @Sendable (AddressAndPort) -> Void) -> any Service,
    _ body: (AddressAndPort, ServiceGroup) async throws -> Void
) async throws {
    var configuration = HTTPServer.Configuration(address: AddressAndPort("127.0.0.1:0")!)
    configuration.limits = limits
    let (addresses, found) = AsyncStream.makeStream(of: AddressAndPort.self)
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let service = make(configuration, logger) { found.yield($0) }
    let group = ServiceGroup(configuration: .init(services: [.init(service: service)], logger: logger))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            defer { found.finish() }
            try await group.run()
        }
        for await address in addresses {
            do {
                try await body(address, group)
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            break
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
    }
}

/// A TCP connection to the server. The bytes it was sent come in pieces of any size.
struct Client {
    let inbound: NIOAsyncChannelInboundStream<ByteBuffer>
    let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>

    func send(_ text: String) async throws {
        try await outbound.write(ByteBuffer(string: text))
    }

    /// Everything until the server closes.
    func readToEnd() async throws -> String {
        var all = ByteBuffer()
        for try await var piece in inbound { all.writeBuffer(&piece) }
        return String(buffer: all)
    }

    static func connect(
        to address: AddressAndPort, _ body: (Client) async throws -> Void
    ) async throws {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(to: SocketAddress(ipAddress: "\(address.address)", port: Int(address.port))) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        try await channel.executeThenClose { inbound, outbound in
            try await body(Client(inbound: inbound, outbound: outbound))
        }
    }

    /// Sends the bytes and returns all that comes until the server closes.
    static func exchange(_ address: AddressAndPort, _ request: String) async throws -> String {
        var answer = ""
        try await connect(to: address) { client in
            try await client.send(request)
            answer = try await client.readToEnd()
        }
        return answer
    }
}

/// A request line with what makes the server close after its answer.
func request(_ line: String) -> String {
    "\(line) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
}
