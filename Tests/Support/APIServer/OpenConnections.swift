// The connections and watches that are open, so that they can be cut, stalled and ended from outside.

import NIOCore
import Synchronization

final class OpenConnections: Sendable {
    struct Watch {
        var connection: Connection
        /// Ends the answer as at the end of its time.
        var end: @Sendable () -> Void
    }

    private struct State {
        var connections: [ObjectIdentifier: Connection] = [:]
        var watches: [Int: Watch] = [:]
        var count = 0
        var stallsNew = false
    }

    private let state = Mutex(State())

    var stallsNew: Bool { state.withLock { $0.stallsNew } }

    func add(_ connection: Connection) {
        let id = ObjectIdentifier(connection.channel)
        state.withLock { $0.connections[id] = connection }
        connection.channel.closeFuture.whenComplete { [self] _ in
            state.withLock { $0.connections[id] = nil }
        }
    }

    func add(_ watch: Watch) -> Int {
        state.withLock { state in
            state.count += 1
            state.watches[state.count] = watch
            return state.count
        }
    }

    func remove(watch id: Int) {
        state.withLock { $0.watches[id] = nil }
    }

    var counts: (connections: Int, watches: Int) {
        state.withLock { ($0.connections.count, $0.watches.count) }
    }

    func cutAll() {
        for connection in state.withLock({ Array($0.connections.values) }) { connection.cut() }
    }

    func cutWatches() {
        for watch in state.withLock({ Array($0.watches.values) }) { watch.connection.cut() }
    }

    func endWatches() {
        for watch in state.withLock({ Array($0.watches.values) }) { watch.end() }
    }

    /// Present connections, and new ones until the release.
    func stallAll() {
        state.withLock { $0.stallsNew = true }
        for connection in state.withLock({ Array($0.connections.values) }) { connection.stall() }
    }

    func releaseAll() {
        state.withLock { $0.stallsNew = false }
        for connection in state.withLock({ Array($0.connections.values) }) { connection.release() }
    }
}
