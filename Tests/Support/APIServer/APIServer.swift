// A stand-in for a Kubernetes API server, for tests: real HTTP/1.1, HTTP/2 and TLS, objects in memory, and faults on
// demand. It imitates a recorded server of version 1.36.2; README.md says how far.

package import APIServerState
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

package final class APIServer: Sendable {
    package let settings: ServerSettings
    package let store: ObjectStore
    package let journal = RequestJournal()
    let faults = FaultPlan()
    let connections = OpenConnections()
    private let availability = Availability()
    private let boundPort = Mutex(0)

    package init(_ settings: ServerSettings) async throws {
        var settings = settings
        settings.store.now = { HTTPDate.seconds() }
        self.settings = settings
        store = ObjectStore(settings.store)
        try await store.populate()
    }

    /// The TCP port that is served, from the moment when `run` is ready.
    package var port: Int { boundPort.withLock { $0 } }

    /// `https://127.0.0.1:1234`, from the moment when `run` is ready.
    package var url: String {
        let scheme = if case .none = settings.security { "http" } else { "https" }
        guard case .tcp(let host, _) = settings.address else { return "" }
        return "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }

    /// Runs a server while `body` runs.
    package static func with<Value: Sendable>(
        _ settings: ServerSettings = ServerSettings(), _ body: @escaping @Sendable (APIServer) async throws -> Value
    ) async throws -> Value {
        let server = try await APIServer(settings)
        return try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask {
                try await server.run()
                return nil
            }
            group.addTask {
                try await server.availability.waitUntilListening()
                return try await body(server)
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let value = result { return value }
            }
            throw CancellationError()
        }
    }

    /// Serves until the task is cancelled.
    package func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let result: Result<Void, any Error>
        do {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                if let control = settings.control {
                    tasks.addTask { try await self.serveControl(control, group) }
                }
                tasks.addTask { try await self.serveWhenAvailable(group) }
                defer { tasks.cancelAll() }
                try await tasks.next()
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try? await group.shutdownGracefully()
        try result.get()
    }

    // MARK: Misbehaviour

    package func add(_ fault: Fault) { faults.add(fault) }
    package func clearFaults() { faults.clear() }
    /// Cuts all connections, as if the server had been killed; new ones are served.
    package func cutConnections() { connections.cutAll() }
    /// Cuts the connections that have a watch.
    package func cutWatches() { connections.cutWatches() }
    /// Ends all watches as at the end of their time.
    package func endWatches() { connections.endWatches() }
    /// No byte more on any connection, old or new, until `release`.
    package func stall() { connections.stallAll() }
    package func release() { connections.releaseAll() }
    package var openWatches: Int { connections.counts.watches }
    package var openConnections: Int { connections.counts.connections }

    /// Cuts all connections and refuses new ones until `comeBack`.
    package func goAway() async {
        await availability.goAway()
        connections.cutAll()
    }

    /// Listens again, on the same port.
    package func comeBack() async throws {
        await availability.comeBack()
        try await availability.waitUntilListening()
    }

    // MARK: Serving

    private func serveWhenAvailable(_ group: MultiThreadedEventLoopGroup) async throws {
        var address = settings.address
        while !Task.isCancelled {
            let listener = try await Listener.listen(on: address, settings: settings, connections: connections, group)
            if case .tcp(let host, _) = address {
                boundPort.withLock { $0 = listener.port }
                address = .tcp(host: host, port: listener.port)
            }
            await availability.listening(listener)
            let handler = RequestHandler(
                settings: settings, store: store, faults: faults, connections: connections, journal: journal)
            try await listener.serve { exchange in try await handler.handle(exchange) }
            try await availability.waitUntilWanted()
        }
    }

    private func serveControl(_ address: ServerSettings.Address, _ group: MultiThreadedEventLoopGroup) async throws {
        var plain = settings
        plain.security = .none
        let listener = try await Listener.listen(on: address, settings: plain, connections: OpenConnections(), group)
        let commands = ControlCommands(server: self)
        try await listener.serve { exchange in try await commands.handle(exchange) }
    }
}
