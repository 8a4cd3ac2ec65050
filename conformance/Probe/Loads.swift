// The table of a probe's background loads: starts each on a thread of its own, reads its counters, ends it.

import Glibc
import HostCalls
import ProbeProtocol
import Synchronization

/// What a load's thread and the request thread share.
final class LoadState: Sendable {
    struct Value {
        var statistics = LoadStatistics()
        var stopping = false
        var ended = false
    }

    let value = Mutex(Value())

    var stopping: Bool { value.withLock { $0.stopping } }

    func publish(_ statistics: LoadStatistics) {
        value.withLock { $0.statistics = statistics }
    }
}

/// Background loads by number. Used by the request thread only.
final class Loads {
    private var states: [Int: LoadState] = [:]
    private var nextNumber = 1

    func start(_ call: StartLoad) throws(CallFailure) -> StartLoad.Reply {
        let state = LoadState()
        let poller = try Poller()
        try startThread {
            var runner = LoadRunner(call, poller: poller, state: state)
            runner.run()
            state.value.withLock { $0.ended = true }
        }
        let number = nextNumber
        nextNumber += 1
        states[number] = state
        return StartLoad.Reply(load: number)
    }

    func inspect(_ call: InspectLoad) throws(CallFailure) -> LoadStatistics {
        try find(call.load).value.withLock { $0.statistics }
    }

    /// Waits for requests under way, at most for the load's own timeout.
    func stop(_ call: StopLoad) throws(CallFailure) -> LoadStatistics {
        let state = try find(call.load)
        state.value.withLock { $0.stopping = true }
        while !state.value.withLock({ $0.ended }) { pause(milliseconds: 2) }
        states[call.load] = nil
        return state.value.withLock { $0.statistics }
    }

    private func find(_ number: Int) throws(CallFailure) -> LoadState {
        guard let state = states[number] else { throw CallFailure("find", "load \(number)", errno: ENOENT) }
        return state
    }
}
