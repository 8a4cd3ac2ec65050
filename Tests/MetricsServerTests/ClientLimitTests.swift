// Clients that are slow, greedy or many, on real sockets: each is bounded, and none keeps others from being served.

import HTTPServing
import NIOCore
import NetworkTypes
import Testing

@Suite("Clients that ask too much", .serialized, .timeLimit(.minutes(1)))
struct ClientLimitTests {
    private static func limits(step: Duration = .seconds(10), connections: Int = 64) -> HTTPLimits {
        var limits = HTTPLimits()
        limits.step = step
        limits.connections = connections
        return limits
    }

    @Test("a header that is too large is refused, and the client hears it")
    func largeHeader() async throws {
        try await withHTTPServer { address, _ in
            let request = "GET / HTTP/1.1\r\nA: \(String(repeating: "a", count: 500_000))\r\n\r\n"
            let answer = try await Client.exchange(address, request)
            #expect(answer.hasPrefix("HTTP/1.1 431 "))
        }
    }

    @Test("a client that trickles its request is closed, while others are served")
    func tricklingClient() async throws {
        try await withHTTPServer(Self.limits(step: .seconds(1))) { address, _ in
            try await Client.connect(to: address) { slow in
                try await slow.send("GET /")
                let answer = try await Client.exchange(address, request("GET /"))
                #expect(answer.hasSuffix("ok\n"))
                #expect(try await slow.readToEnd() == "")
            }
        }
    }

    @Test("a client that does not read is closed, while others are served")
    func deafClient() async throws {
        // More than the sockets' buffers hold, so that the answer cannot be sent without a reader.
        let size = 32 << 20
        let answer = String(repeating: "x", count: size)
        try await withHTTPServer(Self.limits(step: .seconds(1)), answer: answer) { address, _ in
            try await Client.connect(to: address) { slow in
                try await slow.send(request("GET /"))
                let answer = try await Client.exchange(address, request("HEAD /"))
                #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
                try await Task.sleep(for: .seconds(2))
                let received = try? await slow.readToEnd().utf8.count
                #expect((received ?? 0) < size)
            }
        }
    }

    @Test("a large answer arrives whole")
    func largeAnswer() async throws {
        let size = 8 << 20
        try await withHTTPServer(answer: String(repeating: "x", count: size)) { address, _ in
            let answer = try await Client.exchange(address, request("GET /"))
            #expect(answer.utf8.count > size)
            #expect(answer.utf8.suffix(size).allSatisfy { $0 == UInt8(ascii: "x") })
        }
    }

    @Test("more connections than the limit wait their turn")
    func connectionLimit() async throws {
        try await withHTTPServer(Self.limits(connections: 2)) { address, _ in
            try await Client.connect(to: address) { _ in
                try await withThrowingTaskGroup(of: Void.self) { tasks in
                    let (answers, didAnswer) = AsyncStream.makeStream(of: ContinuousClock.Instant.self)
                    var left: ContinuousClock.Instant?
                    try await Client.connect(to: address) { second in
                        // An answer shows that the second place is taken.
                        try await second.send("GET / HTTP/1.1\r\n\r\n")
                        for try await _ in second.inbound { break }
                        tasks.addTask {
                            let answer = try await Client.exchange(address, request("GET /"))
                            #expect(answer.hasSuffix("ok\n"))
                            didAnswer.yield(.now)
                        }
                        try await Task.sleep(for: .milliseconds(200))
                        left = .now
                    }
                    for await answered in answers {
                        #expect(try answered > #require(left))
                        break
                    }
                    try await tasks.waitForAll()
                }
            }
        }
    }

    @Test("a client that stops sending still gets its answer")
    func halfClosed() async throws {
        try await withHTTPServer { address, _ in
            try await Client.connect(to: address) { client in
                try await client.send("GET / HTTP/1.1\r\n\r\n")
                client.outbound.finish()
                #expect(try await client.readToEnd().hasSuffix("ok\n"))
            }
        }
    }
}
