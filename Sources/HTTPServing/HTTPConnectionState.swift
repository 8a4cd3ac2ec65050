// One server connection as a value: which requests are to be answered, when the connection ends, and why. It answers
// each event with what to do next; HTTPConnection does it. Knows neither sockets nor time.

import NIOCore
import NIOHTTP1

struct HTTPConnectionState {
    enum AfterReceiving: Equatable {
        case nothing
        /// To be answered, in this order. `isFirst` says that nothing else was waiting for an answer.
        case answer(HTTPRequest, isFirst: Bool)
        case end(Ending)
    }

    enum Ending: Equatable {
        case not
        case close
        /// Send this as the last answer. Its end is reported to `wroteAnswer` like that of any other.
        case refuse(HTTPResponseStatus)
        /// Close the sending side, and throw away what still comes for a moment.
        case linger
    }

    /// A request that is complete and has no answer yet.
    private struct Unanswered {
        var isHead: Bool
        var keepsAlive: Bool
    }

    private enum Phase: Equatable {
        case open
        /// Takes no more requests; ends after the last answer.
        case ending
        /// The same, and says last what was wrong.
        case refusing(HTTPResponseStatus)
        /// The refusal is on its way.
        case refused
    }

    private let bodyLimit: Int
    private let pipelineLimit: Int
    private var phase = Phase.open
    private var head: HTTPRequestHead?
    private var bodyBytes = 0
    /// First in, first out; at most `pipelineLimit`.
    private var unanswered: [Unanswered] = []
    /// Answers handed to the socket whose last byte the kernel has not taken.
    private var writing = 0

    init(limits: HTTPLimits) {
        bodyLimit = limits.bodyBytes
        pipelineLimit = limits.pipelinedRequests
    }

    /// A part of a request came in.
    mutating func received(_ part: HTTPServerRequestPart) -> AfterReceiving {
        guard phase == .open else { return .nothing }
        switch part {
        case .head(let head):
            self.head = head
            bodyBytes = 0
            return .nothing
        case .body(let bytes):
            bodyBytes += bytes.readableBytes
            return bodyBytes > bodyLimit ? .end(refuse(.payloadTooLarge)) : .nothing
        case .end:
            guard let head else { return .nothing }
            self.head = nil
            return completed(head)
        }
    }

    private mutating func completed(_ head: HTTPRequestHead) -> AfterReceiving {
        guard unanswered.count + writing < pipelineLimit else { return .end(refuse(.tooManyRequests)) }
        // The decoder reads nothing more after an offer to speak another protocol, and we speak no other.
        let changesProtocol = head.method == .CONNECT || head.headers.contains(name: "upgrade")
        // HTTP/1.0 would have to be told that the connection stays open; it gets one answer instead.
        let keepsAlive = head.version == .http1_1 && head.isKeepAlive && !changesProtocol
        unanswered.append(Unanswered(isHead: head.method == .HEAD, keepsAlive: keepsAlive))
        if !keepsAlive { phase = .ending }
        let path = String(head.uri.prefix { $0 != "?" })
        return .answer(HTTPRequest(method: head.method, path: path), isFirst: unanswered.count + writing == 1)
    }

    /// What came in is not HTTP as we accept it. Answers that are due are given first.
    mutating func refuse(_ status: HTTPResponseStatus) -> Ending {
        guard phase == .open else { return .not }
        phase = .refusing(status)
        return endingIfIdle()
    }

    /// The client sends nothing more, or the server is to stop: give the answers that are due, then end.
    mutating func takeNoMore() -> Ending {
        guard phase == .open else { return .not }
        phase = .ending
        return endingIfIdle()
    }

    /// The next answer goes out. Says how to frame it; nil when no request waits for one.
    mutating func answers() -> (sendsBody: Bool, closes: Bool)? {
        guard !unanswered.isEmpty else { return nil }
        let request = unanswered.removeFirst()
        writing += 1
        return (sendsBody: !request.isHead, closes: phase == .ending && unanswered.isEmpty)
    }

    /// The kernel has taken the last byte of an answer, or of the refusal.
    mutating func wroteAnswer() -> Ending {
        if phase == .refused { return .linger }
        writing -= 1
        return endingIfIdle()
    }

    private mutating func endingIfIdle() -> Ending {
        guard unanswered.isEmpty, writing == 0 else { return .not }
        switch phase {
        case .open: return .not
        case .ending: return .close
        case .refusing(let status):
            phase = .refused
            return .refuse(status)
        case .refused: return .not
        }
    }
}
