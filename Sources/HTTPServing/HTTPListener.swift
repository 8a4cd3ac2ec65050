// A listening socket and the connections that it accepts: each is served in a task of its own, and a client that is rude
// or slow costs nobody else anything (HTTPLimits). When to listen and when to stop is for whoever holds it.

package import Logging
package import NIOCore
import NIOHTTP1
import NIOPosix
package import NetworkTypes
import ServiceLifecycle
import Telemetry

package struct HTTPListener: Sendable {
    private typealias Connection = NIOAsyncChannel<HTTPRequest, HTTPAnswer>

    /// With the port that the kernel gave if none was asked for.
    package let address: AddressAndPort
    private let limits: HTTPLimits
    /// Connections come as plain channels, and are wrapped when somebody serves them: one that is let go because the
    /// listener has just closed is no more than a connection that ends, while a wrapped one would end the process.
    private let channel: NIOAsyncChannel<any Channel, Never>

    /// Listens from now on; connections wait in the kernel's queue until `serve` is called. An IPv6 socket also takes
    /// IPv4 unless `isIPv6Only`, or the node's `net.ipv6.bindv6only`, says otherwise.
    package static func listen(
        on address: AddressAndPort, isIPv6Only: Bool = false, limits: HTTPLimits, group: any EventLoopGroup
    ) async throws(ListenError) -> HTTPListener {
        do {
            var bootstrap = ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelOption(.maxMessagesPerRead, value: 1)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .childChannelOption(.autoRead, value: false)
            if isIPv6Only, address.address.family == .ipv6 {
                bootstrap = bootstrap.serverChannelOption(
                    ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only), value: 1)
            }
            let channel = try await bootstrap.bind(
                to: SocketAddress(ipAddress: "\(address.address)", port: Int(address.port)),
                serverBackPressureStrategy: .init(lowWatermark: 1, highWatermark: 1)
            ) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try addHandlers(to: channel, limits)
                    return channel
                }
            }
            let port = channel.channel.localAddress?.port.flatMap(UInt16.init(exactly:)) ?? address.port
            return HTTPListener(
                address: AddressAndPort(address: address.address, port: port), limits: limits, channel: channel)
        } catch {
            throw ListenError(address: address, cause: error)
        }
    }

    /// Stops listening: the port is free when this returns. Connections that are there end with their next answer.
    package func close() async {
        // Closing what is closed is no news.
        try? await channel.channel.close()
    }

    /// Serves until `close` or graceful shutdown, which both let answers that are due go out, or until cancelled, which
    /// does not.
    package func serve(
        logger: Logger, _ answer: @escaping @Sendable (HTTPRequest) async -> HTTPAnswer
    ) async throws {
        try await channel.executeThenClose { connections in
            try await withGracefulShutdownHandler {
                try await accept(connections, logger, answer)
            } onGracefulShutdown: {
                channel.channel.close(promise: nil)
            }
        }
    }

    private func accept(
        _ connections: NIOAsyncChannelInboundStream<any Channel>, _ logger: Logger,
        _ answer: @escaping @Sendable (HTTPRequest) async -> HTTPAnswer
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            var count = 0
            for try await connection in connections {
                if count == limits.connections {
                    try await tasks.next()
                    count -= 1
                }
                tasks.addTask { await Self.serve(connection, logger, answer) }
                count += 1
            }
            try await tasks.waitForAll()
        }
    }

    /// Until the connection ends. A client that vanishes is no news, so errors end here.
    private static func serve(
        _ channel: any Channel, _ logger: Logger, _ answer: @escaping @Sendable (HTTPRequest) async -> HTTPAnswer
    ) async {
        do {
            let connection = try await channel.eventLoop.submit {
                try Connection(wrappingChannelSynchronously: channel)
            }.get()
            try await connection.executeThenClose { requests, answers in
                try await channel.setOption(.autoRead, value: true).get()
                try await withGracefulShutdownHandler {
                    for try await request in requests {
                        try await answers.write(answer(request))
                    }
                } onGracefulShutdown: {
                    connection.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
                }
            }
        } catch {
            logger.trace("connection ended", metadata: [LogKeys.error: "\(error)"])
        }
    }

    /// The pipeline of a connection: bytes to requests, answers to bytes.
    static func addHandlers(to channel: any Channel, _ limits: HTTPLimits) throws {
        var decoderLimits = NIOHTTPDecoderLimitConfiguration()
        decoderLimits.maxHeaderFieldSize = limits.headerBytes
        decoderLimits.maxHeaderListSize = limits.headerBytes
        let decoder = HTTPRequestDecoder(limitConfiguration: decoderLimits)
        try channel.pipeline.syncOperations.addHandlers([
            HTTPResponseEncoder(), ByteToMessageHandler(decoder), HTTPConnection(limits: limits),
        ])
    }
}
