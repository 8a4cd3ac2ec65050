// The listeners of health-check node ports: one for each service, family and address, opened and closed as services come
// and go (HC-1, HC-4, HC-6, HC-7). All of them share one thread, which is not there before the first one is.

package import HTTPServing
package import Logging
import NIOCore
import NIOPosix
package import NetworkTypes
import ServiceLifecycle
package import ServiceModel
import Synchronization

package actor ServiceHealthServer: ServiceLifecycle.Service {
    private struct Place: Hashable {
        var service: ObjectName
        var family: AddressFamily
    }

    private struct Opened {
        var port: UInt16
        /// What they listen on, without ports.
        var addresses: [IPAddress]
        var listeners: [HTTPListener]
    }

    private let logger: Logger
    private let board: HealthBoard
    private let limits: HTTPLimits
    /// What is answered at each place; read by the tasks that serve connections.
    private let counts = Mutex<[Place: Int]>([:])
    private var opened: [Place: Opened] = [:]
    private var isStopped = false
    private var group: MultiThreadedEventLoopGroup?
    private let (listeners, inbox) = AsyncStream.makeStream(of: (Place, HTTPListener).self)
    private var reported: Set<HealthCheckFailure> = []
    private let didFail: @Sendable (HealthCheckFailure) -> Void

    /// Whether some service is not served; the next successful sync is to try again.
    package private(set) var hasFailed = false

    /// `didFail` hears of each failure once, as long as it lasts (HC-6).
    package init(
        board: HealthBoard, limits: HTTPLimits = HTTPLimits(), logger: Logger,
        didFail: @escaping @Sendable (HealthCheckFailure) -> Void = { _ in }
    ) {
        self.board = board
        self.didFail = didFail
        self.limits = limits
        self.logger = logger
    }

    /// Serves what `sync` opens, until graceful shutdown or cancellation.
    package func run() async throws {
        await withDiscardingTaskGroup { tasks in
            for await (place, listener) in listeners.cancelOnGracefulShutdown() {
                tasks.addTask { await self.serve(listener, at: place) }
            }
            await stop()
            // What was opened meanwhile still has to be served to its end, which has come.
            inbox.finish()
            for await (place, listener) in listeners { tasks.addTask { await self.serve(listener, at: place) } }
        }
        try await group?.shutdownGracefully()
    }

    /// Makes the listeners follow: to be called after each successful sync, never ahead of it (HC-7). `addresses` are
    /// those to listen on in each family. Returns the services that cannot be served; the others are.
    @discardableResult
    package func sync(
        _ wanted: [ObjectName: ServiceHealth], addresses: PerFamily<[IPAddress]>
    ) async -> [HealthCheckFailure] {
        guard !isStopped else { return [] }
        await closeAll { place, opened in
            guard let health = wanted[place.service] else { return true }
            return health.localReady[place.family] == nil || health.port != opened.port
                || opened.addresses != addresses[place.family]
        }
        var failures: [HealthCheckFailure] = []
        for (service, health) in wanted.sorted(by: { $0.key < $1.key }) {
            for family in AddressFamily.allCases {
                guard let count = health.localReady[family] else { continue }
                let place = Place(service: service, family: family)
                counts.withLock { $0[place] = count }
                guard opened[place] == nil else { continue }
                if let error = await open(place, port: health.port, addresses[family]) {
                    failures.append(HealthCheckFailure(service: service, reason: "\(error)"))
                }
            }
        }
        hasFailed = !failures.isEmpty
        report(failures)
        return failures
    }

    /// Each failure once, as long as it lasts.
    private func report(_ failures: [HealthCheckFailure]) {
        for failure in failures where !reported.contains(failure) {
            logger.error(
                "a service's health-check node port is not served; its load balancer will pass this node over",
                metadata: ["service": "\(failure.service)", "error": "\(failure.reason)"])
            didFail(failure)
        }
        reported = Set(failures)
    }

    /// All addresses or none of them (HC-6).
    private func open(_ place: Place, port: UInt16, _ addresses: [IPAddress]) async -> ListenError? {
        let group = self.group ?? MultiThreadedEventLoopGroup(numberOfThreads: 1)
        self.group = group
        var new = Opened(port: port, addresses: addresses, listeners: [])
        for address in addresses {
            do throws(ListenError) {
                let listener = try await HTTPListener.listen(
                    on: AddressAndPort(address: address, port: port), isIPv6Only: true, limits: limits, group: group)
                // Every listener is served, also one that is closed again.
                inbox.yield((place, listener))
                new.listeners.append(listener)
            } catch {
                for listener in new.listeners { await listener.close() }
                return error
            }
        }
        opened[place] = new
        return nil
    }

    private func stop() async {
        isStopped = true
        await closeAll { _, _ in true }
    }

    private func closeAll(where isUnwanted: (Place, Opened) -> Bool) async {
        for (place, old) in opened where isUnwanted(place, old) {
            opened[place] = nil
            counts.withLock { $0[place] = nil }
            for listener in old.listeners { await listener.close() }
        }
    }

    private nonisolated func serve(_ listener: HTTPListener, at place: Place) async {
        do {
            // Whatever is asked for, and however (HC-2).
            try await listener.serve(logger: logger) { _ in self.answer(place) }
        } catch {
            logger.debug("a health-check listener ended", metadata: ["address": "\(listener.address)"])
        }
    }

    private nonisolated func answer(_ place: Place) -> HTTPAnswer {
        HealthAnswers.service(
            place.service, localEndpoints: counts.withLock { $0[place] } ?? 0,
            isProxyHealthy: board.report().isProxyHealthy)
    }
}
