// Asks one address many times, one after another, and counts what came of it.

import Glibc
import HostCalls
import ProbeProtocol

/// One `Ask` being carried out.
struct Asker {
    private let call: Ask

    init(_ call: Ask) {
        self.call = call
    }

    func run() -> Answers {
        var answers = Answers()
        for _ in 0..<call.count {
            do {
                try attempt(&answers)
            } catch {
                answers.errors[error.name, default: 0] += 1
                answers.failedCalls["\(error.call) \(error.name)", default: 0] += 1
            }
        }
        return answers
    }

    private func attempt(_ answers: inout Answers) throws(CallFailure) {
        let socket = try Socket.open(call.transport, call.family, nonblocking: true)
        if let address = call.bind {
            try socket.allowSharedBinding()
            try socket.bind(address)
        }
        var exchange = Exchange(socket)
        if !call.unconnected { try exchange.connect(call.to, within: call.timeout) }
        let request = exchange.request("hello", size: call.requestSize, replySize: call.replySize)
        try exchange.send(request, to: call.unconnected ? call.to : nil, within: call.timeout)
        let reply = try exchange.receive(within: call.timeout)
        let newline = call.transport == .udp ? 0 : 1
        guard let answer = Answer(parsing: String(decoding: reply.bytes, as: UTF8.self)),
            answer.requestSize == request.count + newline, reply.bytes.count + newline >= call.replySize
        else { throw CallFailure("answer", errno: EBADMSG) }

        let peer = call.unconnected ? reply.source : try socket.peerAddress()
        answers.servers[answer.server, default: 0] += 1
        answers.peers["\(peer ?? SocketAddress("", 0))", default: 0] += 1
        answers.clients[withoutPort(answer.client), default: 0] += 1
        answers.locals[answer.local, default: 0] += 1
    }

    /// "10.0.0.1" of "10.0.0.1:80", "fd00::1" of "[fd00::1]:80".
    private func withoutPort(_ text: String) -> String {
        guard let colon = text.lastIndex(of: ":") else { return text }
        return String(text[..<colon].filter { $0 != "[" && $0 != "]" })
    }
}
