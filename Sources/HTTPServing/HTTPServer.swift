// A small HTTP/1.1 server on one thread: it listens, tries again if it may, and stops when asked. What is answered is
// given to it; connections are HTTPListener's.

package import Logging
import NIOCore
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

    private let configuration: Configuration
    private let logger: Logger
    private let clock: any Clock<Duration>
    private let didListen: @Sendable (AddressAndPort) -> Void
    private let didFail: @Sendable (ListenError) async -> Void
    private let answer: @Sendable (HTTPRequest) async -> HTTPAnswer

    /// `didListen` hears the address with the port that the kernel gave, once it accepts connections. `didFail` hears why
    /// it cannot listen, each time that the reason is a new one, before anything else follows from it. `answer` runs
    /// outside the server's thread, at most once at a time for each connection, and to its end even if the client goes.
    package init(
        _ configuration: Configuration, logger: Logger, clock: any Clock<Duration> = ContinuousClock(),
        didListen: @escaping @Sendable (AddressAndPort) -> Void = { _ in },
        didFail: @escaping @Sendable (ListenError) async -> Void = { _ in },
        answer: @escaping @Sendable (HTTPRequest) async -> HTTPAnswer
    ) {
        self.configuration = configuration
        self.logger = logger
        self.clock = clock
        self.didListen = didListen
        self.didFail = didFail
        self.answer = answer
    }

    /// Serves until graceful shutdown, which lets answers that are due go out, or until cancelled, which does not.
    /// Throws `ListenError` when the address cannot be had and no retry is configured.
    package func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            if let listener = try await listen(on: group) {
                try await listener.serve(logger: logger, answer)
            }
        } catch {
            try await group.shutdownGracefully()
            throw error
        }
        try await group.shutdownGracefully()
    }

    // MARK: Listening

    /// Nil when shutdown came first.
    private func listen(on group: MultiThreadedEventLoopGroup) async throws -> HTTPListener? {
        var lastError: ListenError?
        while true {
            do throws(ListenError) {
                let listener = try await HTTPListener.listen(
                    on: configuration.address, limits: configuration.limits, group: group)
                didListen(listener.address)
                return listener
            } catch {
                // Once for each new reason: the address may be taken for days.
                let isNew = error != lastError
                lastError = error
                if isNew { await didFail(error) }
                guard let retry = configuration.bindRetry else { throw error }
                if isNew { log(error, retry) }
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
}
