// One connection against a clock that the test moves: what ends it, when, and what the client has been told by then.

import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HTTPServing

@Suite("One HTTP connection")
struct HTTPConnectionTests {
    /// The pipeline that a server's connection has, without a socket.
    private struct Connection {
        let channel: EmbeddedChannel

        init(_ limits: HTTPLimits = HTTPLimits()) throws {
            channel = EmbeddedChannel()
            try HTTPListener.addHandlers(to: channel, limits)
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/none")).wait()
        }

        func receive(_ text: String) throws {
            try channel.writeInbound(ByteBuffer(string: text))
        }

        func nextPath() throws -> String? {
            try channel.readInbound(as: HTTPRequest.self)?.path
        }

        func answer(_ body: String) throws {
            try channel.writeOutbound(HTTPAnswer(status: .ok, body: body))
        }

        /// All that was sent since the last call.
        func sent() throws -> String {
            var text = ""
            while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
                text += String(buffer: bytes)
            }
            return text
        }

        var isOpen: Bool { channel.isActive }

        func pass(_ seconds: Int64) {
            channel.embeddedEventLoop.advanceTime(by: .seconds(seconds))
        }
    }

    @Test("a request is handed over, and its answer framed")
    func requestAndAnswer() throws {
        let connection = try Connection()
        try connection.receive("GET /metrics?x=1 HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(try connection.nextPath() == "/metrics")
        try connection.answer("héllo\n")
        let sent = try connection.sent()
        #expect(sent.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(sent.contains("Content-Length: 7\r\n"))
        #expect(sent.hasSuffix("\r\n\r\nhéllo\n"))
        #expect(!sent.contains("Connection:"))
        #expect(connection.isOpen)
    }

    @Test("a client that sends nothing is closed after ten seconds")
    func silentClient() throws {
        let connection = try Connection()
        connection.pass(9)
        #expect(connection.isOpen)
        connection.pass(1)
        #expect(!connection.isOpen)
    }

    @Test("bytes that do not complete a request buy no time")
    func trickle() throws {
        let connection = try Connection()
        for byte in "GET /metr" {
            try connection.receive(String(byte))
            connection.pass(1)
        }
        #expect(connection.isOpen)
        try connection.receive("i")
        connection.pass(1)
        #expect(!connection.isOpen)
    }

    @Test("the answer has its own time, and so has the next request")
    func timeOfEachStep() throws {
        let connection = try Connection()
        connection.pass(9)
        try connection.receive("GET / HTTP/1.1\r\n\r\n")
        connection.pass(9)
        try connection.answer("")
        connection.pass(9)
        try connection.receive("GET / HTTP/1.1\r\n\r\n")
        #expect(connection.isOpen)
        connection.pass(10)
        #expect(!connection.isOpen)
    }

    @Test("pipelined requests are answered in order, and one that asks to close is the last")
    func pipelining() throws {
        let connection = try Connection()
        try connection.receive(
            "GET /a HTTP/1.1\r\n\r\nHEAD /b HTTP/1.1\r\n\r\n"
                + "GET /c HTTP/1.1\r\nConnection: close\r\n\r\nGET /d HTTP/1.1\r\n\r\n")
        #expect(try connection.nextPath() == "/a")
        #expect(try connection.nextPath() == "/b")
        #expect(try connection.nextPath() == "/c")
        #expect(try connection.nextPath() == nil)
        try connection.answer("1")
        #expect(try connection.sent().hasSuffix("\r\n\r\n1"))
        try connection.answer("22")
        let head = try connection.sent()
        #expect(head.contains("Content-Length: 2\r\n"))
        #expect(head.hasSuffix("\r\n\r\n"))
        try connection.answer("3")
        let last = try connection.sent()
        #expect(last.contains("Connection: close\r\n"))
        #expect(last.hasSuffix("\r\n\r\n3"))
        #expect(!connection.isOpen)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let what: String
        let bytes: String
        let status: String
        var testDescription: String { what }
    }

    @Test(
        "what is too long, too much or no HTTP/1 is refused and closed",
        arguments: [
            Refusal(
                what: "a header too long", bytes: "GET / HTTP/1.1\r\nA: \(String(repeating: "a", count: 8200))",
                status: "431"),
            Refusal(what: "a path too long", bytes: "GET /\(String(repeating: "a", count: 8200))", status: "431"),
            Refusal(
                what: "headers too long together",
                bytes: "GET / HTTP/1.1\r\n"
                    + String(repeating: "A: \(String(repeating: "a", count: 1000))\r\n", count: 9),
                status: "431"),
            Refusal(
                what: "too many headers", bytes: "GET / HTTP/1.1\r\n" + String(repeating: "A: a\r\n", count: 300),
                status: "431"),
            Refusal(
                what: "a body too long",
                bytes: "GET / HTTP/1.1\r\nContent-Length: 99999\r\n\r\n" + String(repeating: "a", count: 17000),
                status: "413"),
            Refusal(what: "no HTTP", bytes: "\u{16}\u{3}\u{1} hello\r\n\r\n", status: "400"),
            Refusal(what: "HTTP/2", bytes: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", status: "400"),
        ])
    func isRefused(_ refusal: Refusal) throws {
        let connection = try Connection()
        try connection.receive(refusal.bytes)
        #expect(try connection.nextPath() == nil)
        let sent = try connection.sent()
        #expect(sent.hasPrefix("HTTP/1.1 \(refusal.status) "))
        #expect(sent.contains("Connection: close\r\n"))
        connection.pass(1)
        #expect(!connection.isOpen)
    }

    @Test("a refusal waits for the answers that are due")
    func lateRefusal() throws {
        let connection = try Connection()
        try connection.receive("GET /a HTTP/1.1\r\n\r\nnonsense\r\n\r\n")
        #expect(try connection.nextPath() == "/a")
        #expect(try connection.sent() == "")
        try connection.answer("1")
        let sent = try connection.sent()
        #expect(sent.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(sent.contains("\r\n\r\n1HTTP/1.1 400 Bad Request\r\n"))
    }

    @Test("a client that asks for too much at once is refused")
    func tooManyRequests() throws {
        var limits = HTTPLimits()
        limits.pipelinedRequests = 2
        let connection = try Connection(limits)
        try connection.receive(String(repeating: "GET /a HTTP/1.1\r\n\r\n", count: 3))
        #expect(try connection.nextPath() == "/a")
        #expect(try connection.nextPath() == "/a")
        #expect(try connection.nextPath() == nil)
        try connection.answer("1")
        try connection.answer("2")
        #expect(try connection.sent().contains("2HTTP/1.1 429 Too Many Requests\r\n"))
    }

    @Test(
        "HTTP/1.0 and upgrades get an answer and no more",
        arguments: [
            "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            "GET /a HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        ])
    func closesAfterTheAnswer(_ request: String) throws {
        let connection = try Connection()
        try connection.receive(request)
        #expect(try connection.nextPath() == "/a")
        try connection.answer("1")
        #expect(try connection.sent().contains("Connection: close\r\n"))
        #expect(!connection.isOpen)
    }

    @Test("shutdown closes an idle connection at once")
    func idleShutdown() throws {
        let connection = try Connection()
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(!connection.isOpen)
    }

    @Test("shutdown lets an answer that is due go out, and takes no further request")
    func busyShutdown() throws {
        let connection = try Connection()
        try connection.receive("GET /a HTTP/1.1\r\n\r\n")
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(connection.isOpen)
        try connection.receive("GET /b HTTP/1.1\r\n\r\n")
        #expect(try connection.nextPath() == "/a")
        #expect(try connection.nextPath() == nil)
        try connection.answer("1")
        #expect(try connection.sent().contains("Connection: close\r\n"))
        #expect(!connection.isOpen)
    }

    @Test("a client that only stops sending still gets its answer")
    func halfClosed() throws {
        let connection = try Connection()
        try connection.receive("GET /a HTTP/1.1\r\n\r\n")
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        #expect(connection.isOpen)
        try connection.answer("1")
        #expect(try connection.sent().hasSuffix("\r\n\r\n1"))
        #expect(!connection.isOpen)
    }
}
