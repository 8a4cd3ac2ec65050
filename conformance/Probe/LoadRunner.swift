// Drives a load's slots from one poller on one thread: begins what is due, gives up what takes too long, counts
// every outcome once. How a connection speaks is the slot's.

import HostCalls
import ProbeProtocol

/// One load, from start to stop.
struct LoadRunner {
    /// After a failure a slot rests at least so long, lest a refusing service be asked in a hot loop.
    private static let restAfterFailure = Duration.milliseconds(10)
    /// How often slots are looked over for rests and timeouts that are over.
    private static let sweepInterval = Duration.milliseconds(10)
    /// Attempts under way at once: more would overflow a listener's queue, which is no fault of the service asked.
    private static let mostUnderWay = 1024

    private let call: StartLoad
    private let poller: Poller
    private let state: LoadState
    private var slots: [LoadSlot]
    private var statistics = LoadStatistics()
    /// Slots that may begin at once, without waiting for a sweep.
    private var due: [Int] = []
    private var underWay = 0

    init(_ call: StartLoad, poller: Poller, state: LoadState) {
        self.call = call
        self.poller = poller
        self.state = state
        slots = Array(repeating: LoadSlot(), count: call.concurrency)
    }

    /// Returns when the load is stopped or its limit is reached, and nothing is under way any more.
    mutating func run() {
        var nextSweep = ContinuousClock.now
        while true {
            if ContinuousClock.now >= nextSweep {
                sweep()
                nextSweep = .now + Self.sweepInterval
            }
            let finishing = state.stopping || limitReached
            if !finishing { beginDue() }
            state.publish(statistics)
            if finishing && underWay == 0 { break }
            let canBegin = !due.isEmpty && !finishing && underWay < Self.mostUnderWay
            guard let events = try? poller.wait(milliseconds: canBegin ? 0 : 5) else { break }
            for event in events { advance(event.token) }
        }
        statistics.finished = limitReached
        statistics.open = 0
        state.publish(statistics)
    }

    private var limitReached: Bool {
        call.limit > 0 && statistics.attempts >= call.limit
    }

    private mutating func beginDue() {
        let batch = due
        due = []
        for (position, index) in batch.enumerated() {
            if limitReached || underWay >= Self.mostUnderWay {
                due += batch[position...]
                return
            }
            begin(index)
        }
    }

    private mutating func begin(_ index: Int) {
        statistics.attempts += 1
        underWay += 1
        let isNew = slots[index].exchange == nil
        let outcome = slots[index].begin(call) { [poller] socket, generation throws(CallFailure) in
            let readiness: Readiness = socket.transport == .udp ? .readable : [.readable, .writable]
            try poller.add(socket.descriptor, for: readiness, token: Self.token(index, generation))
        }
        if isNew && slots[index].exchange != nil {
            statistics.connections += 1
            statistics.open += 1
        }
        settle(index, outcome)
    }

    /// Slot and generation in one number.
    private static func token(_ index: Int, _ generation: UInt32) -> UInt64 {
        UInt64(generation) << 32 | UInt64(UInt32(index))
    }

    private mutating func advance(_ token: UInt64) {
        let index = Int(UInt32(truncatingIfNeeded: token))
        guard slots[index].generation == UInt32(token >> 32) else { return }
        let outcome = slots[index].advance { [poller] socket, generation throws(CallFailure) in
            try poller.change(socket.descriptor, to: .readable, token: Self.token(index, generation))
        }
        if case .resting = slots[index].phase {
            // A held connection ended between two exchanges: a failure of its own, of no attempt under way.
            guard case .failed = outcome else { return }
            statistics.attempts += 1
            underWay += 1
        }
        settle(index, outcome)
    }

    private mutating func sweep() {
        let now = ContinuousClock.now
        let timeout = Duration.milliseconds(call.timeout)
        let listed = Set(due)
        for index in slots.indices {
            switch slots[index].phase {
            case .resting(let until):
                if until <= now && !listed.contains(index) { due.append(index) }
            case .connecting, .awaiting:
                if slots[index].began + timeout <= now { settle(index, slots[index].expire()) }
            }
        }
    }

    private mutating func settle(_ index: Int, _ outcome: LoadSlot.Outcome) {
        let now = ContinuousClock.now
        switch outcome {
        case .waiting:
            return
        case .answered(let server, let misdirected):
            statistics.ok += 1
            statistics.servers[server, default: 0] += 1
            if misdirected { statistics.misdirected += 1 }
            let took = Int(slots[index].began.duration(to: now).wholeMilliseconds)
            statistics.slowest = max(statistics.slowest, took)
            finish(index, at: now + .milliseconds(call.rest), keepConnection: call.mode == .hold)
            if call.rest == 0 { due.append(index) }
        case .failed(let failure):
            statistics.failures["\(failure.call) \(failure.name)", default: 0] += 1
            // A resolver keeps its UDP socket when an answer fails to come; so does a held one here.
            let isSilence = failure.call == "receive" && call.transport == .udp && call.mode == .hold
            let pause = max(Self.restAfterFailure, .milliseconds(call.rest))
            finish(index, at: now + pause, keepConnection: isSilence)
        }
    }

    private mutating func finish(_ index: Int, at instant: ContinuousClock.Instant, keepConnection: Bool) {
        underWay -= 1
        if !keepConnection && slots[index].exchange != nil { statistics.open -= 1 }
        slots[index].rest(until: instant, keepConnection: keepConnection)
    }
}
