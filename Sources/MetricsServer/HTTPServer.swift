// A small HTTP/1.1 server on one thread: it listens, serves each connection in a task of its own, and stops when asked.
// What is answered is given to it; how long a client may take and how much it may send is in HTTPLimits.

package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
package import NetworkTypes
import ServiceLifecycle
import Telemetry

package struct HTTPServer: Service {
    package struct Configuration: Sendable {
        /// Port 0 lets the kernel choose. `[::]` also takes IPv4, unless the node's `net.ipv6.bindv6only` says
        /// otherwise.
        package var address: AddressAndPort
        /// How long to wait before the next attempt when the address cannot be had (HZ-5); nil makes that an error.
        package var bindRetry: Duration?
        package var limits = HTTPLimits()

        package init(address: AddressAndPort, bindRetry: Duration? = nil) {
            self.address = address
            self.bindRetry = bindRetry
        }
    }

    private typealias Connection = NIOAsyncChannel<HTTPRequest, HTTPAnswer>

    private let configuration: Configuration
    private let logger: Logger
    private let clock: any Clock<Duration>
    private let didListen: @Sendable (AddressAndPort) -> Void
    private let answer: @Sendable (HTTPRequest) async -> HTTPAnswer

    /// `didListen` hears the address with the port that the kernel gave, once it accepts connections. `answer` runs
    /// outside the server's thread, at most once at a time for each connection, and to its end even if the client goes.
    package init(
        _ configuration: Configuration, logger: Logger, clock: any Clock<Duration> = ContinuousClock(),
        didListen: @escaping @Sendable (AddressAndPort) -> Void = { _ in },
        answer: @escaping @Sendable (HTTPRequest) async -> HTTPAnswer
    ) {
        self.configuration = configuration
        self.logger = logger
        self.clock = clock
        self.didListen = didListen
        self.answer = answer
    }

    /// Serves until graceful shutdown, which lets answers that are due go out, or until cancelled, which does not.
    /// Throws `ListenError` when the address cannot be had and no retry is configured.
    package func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            if let listener = try await listen(on: group) {
                try await serve(listener)
            }
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    // MARK: Listening

    /// Nil when shutdown came first.
    private func listen(on group: MultiThreadedEventLoopGroup) async throws -> NIOAsyncChannel<Connection, Never>? {
        var lastError: ListenError?
        while true {
            do throws(ListenError) {
                return try await bind(on: group)
            } catch {
                guard let retry = configuration.bindRetry else { throw error }
                // Once for each new reason: the address may be taken for days.
                if error != lastError { log(error, retry) }
                lastError = error
                guard await isStillWanted(after: retry) else { return nil }
            }
        }
    }

    private func log(_ error: ListenError, _ retry: Duration) {
        logger.error(
            "\(error)",
            metadata: [
                LogKeys.address: "\(error.address)", LogKeys.errno: "\(error.errno)",
                LogKeys.retrySeconds: "\(retry / .seconds(1))",
            ])
    }

    private func isStillWanted(after pause: Duration) async -> Bool {
        await cancelWhenGracefulShutdown {
            do {
                try await clock.sleep(for: pause)
                return true
            } catch {
                return false
            }
        }
    }

    private func bind(
        on group: MultiThreadedEventLoopGroup
    ) async throws(ListenError) -> NIOAsyncChannel<Connection, Never> {
        let wanted = configuration.address
        let limits = configuration.limits
        do {
            let listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelOption(.maxMessagesPerRead, value: 1)
                .childChannelOption(.allowRemoteHalfClosure, value: true)
                .bind(
                    to: SocketAddress(ipAddress: "\(wanted.address)", port: Int(wanted.port)),
                    serverBackPressureStrategy: .init(lowWatermark: 1, highWatermark: 1)
                ) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try Self.addHandlers(to: channel, limits)
                        return try Connection(wrappingChannelSynchronously: channel)
                    }
                }
            let port = listener.channel.localAddress?.port.flatMap(UInt16.init(exactly:)) ?? wanted.port
            didListen(AddressAndPort(address: wanted.address, port: port))
            return listener
        } catch {
            throw ListenError(address: wanted, cause: error)
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

    // MARK: Serving

    private func serve(_ listener: NIOAsyncChannel<Connection, Never>) async throws {
        try await listener.executeThenClose { connections in
            try await withGracefulShutdownHandler {
                try await accept(connections)
            } onGracefulShutdown: {
                listener.channel.close(promise: nil)
            }
        }
    }

    private func accept(_ connections: NIOAsyncChannelInboundStream<Connection>) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            var count = 0
            for try await connection in connections {
                if count == configuration.limits.connections {
                    try await tasks.next()
                    count -= 1
                }
                tasks.addTask { await serve(connection) }
                count += 1
            }
            try await tasks.waitForAll()
        }
    }

    /// Until the connection ends. A client that vanishes is no news, so errors end here.
    private func serve(_ connection: Connection) async {
        do {
            try await connection.executeThenClose { requests, answers in
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
}
