// One of a load's connections as a state machine: it is told that its socket is ready or that time has passed, makes
// the socket calls that follow, and says what came of it. Scheduling and counting are the runner's.

import Glibc
import HostCalls
import ProbeProtocol

/// One place for a connection; the connection in it comes and goes.
struct LoadSlot {
    enum Phase {
        /// Nothing under way until then.
        case resting(until: ContinuousClock.Instant)
        case connecting
        case awaiting
    }

    /// What a step led to.
    enum Outcome {
        case waiting
        case answered(server: String, misdirected: Bool)
        case failed(CallFailure)
    }

    private(set) var phase: Phase = .resting(until: .now)
    private(set) var exchange: Exchange?
    /// Counts the slot's connections, so that an event of a closed one is not taken for its successor's.
    private(set) var generation: UInt32 = 0
    /// When the attempt under way began.
    private(set) var began: ContinuousClock.Instant = .now
    /// Who answered first on this connection.
    private var server: String?

    private static let request = Array("hello".utf8)

    /// Begins an attempt on a connected slot, or on a fresh connection that `watch` is told of.
    mutating func begin(
        _ call: StartLoad, watch: (Socket, UInt32) throws(CallFailure) -> Void
    ) -> Outcome {
        began = .now
        do {
            if exchange != nil { return try request(draining: call.transport == .udp) }
            let socket = try Socket.open(call.transport, call.family, nonblocking: true)
            exchange = Exchange(socket)
            generation &+= 1
            server = nil
            if call.reset && call.transport != .udp { try socket.resetOnClose() }
            let connected = try socket.connect(call.to)
            try watch(socket, generation)
            if connected { return try request(draining: false) }
            phase = .connecting
            return .waiting
        } catch {
            return .failed(error)
        }
    }

    /// The socket is ready for something. `heard` is told when only readable events matter from now on.
    mutating func advance(heard: (Socket, UInt32) throws(CallFailure) -> Void) -> Outcome {
        guard var exchange else { return .waiting }
        do {
            switch phase {
            case .resting:
                // Between exchanges only an end or an error can make the socket ready (or a late datagram).
                if exchange.socket.transport == .udp, try exchange.socket.receiveDatagram() != nil { return .waiting }
                return .failed(CallFailure("rest", errno: try endReason(exchange)))
            case .connecting:
                let error = exchange.socket.takeError()
                if error != 0 { return .failed(CallFailure("connect", errno: error)) }
                try heard(exchange.socket, generation)
                return try request(draining: false)
            case .awaiting:
                let reply = try exchange.receive(within: 0)
                self.exchange = exchange
                return judge(reply.bytes)
            }
        } catch  where error.errno == ETIMEDOUT && error.call == "recv" {
            self.exchange = exchange
            return .waiting
        } catch {
            return .failed(error)
        }
    }

    /// The attempt's time is over.
    func expire() -> Outcome {
        switch phase {
        case .resting: .waiting
        case .connecting: .failed(CallFailure("connect", errno: ETIMEDOUT))
        case .awaiting: .failed(CallFailure("receive", errno: ETIMEDOUT))
        }
    }

    /// Rests, keeping the connection or closing it.
    mutating func rest(until instant: ContinuousClock.Instant, keepConnection: Bool) {
        phase = .resting(until: instant)
        if !keepConnection { exchange = nil }
    }

    private mutating func request(draining: Bool) throws(CallFailure) -> Outcome {
        guard let exchange else { return .waiting }
        if draining { while try exchange.socket.receiveDatagram() != nil {} }
        try exchange.send(Self.request, to: nil, within: 0)
        phase = .awaiting
        return .waiting
    }

    private func endReason(_ exchange: Exchange) throws(CallFailure) -> Int32 {
        let error = exchange.socket.takeError()
        return error == 0 ? ENODATA : error
    }

    private mutating func judge(_ bytes: [UInt8]) -> Outcome {
        guard let answer = Answer(parsing: String(decoding: bytes, as: UTF8.self)) else {
            return .failed(CallFailure("answer", errno: EBADMSG))
        }
        let first = server ?? answer.server
        server = first
        return .answered(server: answer.server, misdirected: answer.server != first)
    }
}
