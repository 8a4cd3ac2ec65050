// A client that sends bytes and shows the bytes of the answer, so that tests see framing and headers as they were sent.
// HTTP/1.1 alone; HTTP/2 is tested with curl.

import NIOCore
import NIOPosix
import NIOSSL
import Testing

struct RawAnswer {
    /// Without the protocol version: `200 OK`.
    var status: String
    /// In order; names as they came.
    var headers: [(name: String, value: String)]
    /// Without the chunked coding.
    var body: [UInt8]
    var chunkSizes: [Int]
    /// Whether all came that the headers promised.
    var isComplete: Bool

    var text: String { String(decoding: body, as: UTF8.self) }

    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// A body from elsewhere.
    init(body: [UInt8]) {
        (status, headers, self.body, chunkSizes, isComplete) = ("", [], body, [], true)
    }

    /// Reads an answer, of which the end may be missing.
    init(_ bytes: [UInt8]) throws {
        let end = try #require(
            bytes.firstRange(of: Array("\r\n\r\n".utf8)), "no answer, or one without an end of headers")
        var lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n").map(String.init)
        status = String(lines.removeFirst().split(separator: " ", maxSplits: 1).last ?? "")
        headers = lines.map { line in
            let sides = line.split(separator: ":", maxSplits: 1)
            return (String(sides[0]), sides.count > 1 ? String(sides[1].drop { $0 == " " }) : "")
        }
        body = []
        chunkSizes = []
        isComplete = false
        var rest = bytes[end.upperBound...]
        if let length = header("content-length").flatMap({ Int($0) }) {
            body = Array(rest.prefix(length))
            isComplete = body.count == length
            return
        }
        while let lineEnd = rest.firstRange(of: [0x0d, 0x0a]) {
            let size = try #require(Int(String(decoding: rest[..<lineEnd.lowerBound], as: UTF8.self), radix: 16))
            rest = rest[lineEnd.upperBound...]
            if size == 0 {
                isComplete = true
                return
            }
            body += rest.prefix(size)
            chunkSizes.append(min(size, rest.count))
            rest = rest.dropFirst(size + 2)
        }
    }
}

enum RawClient {
    /// Sends a request and reads until the server closes the connection. `stopAfter` bounds the wait; what came until
    /// then is the answer.
    static func send(
        _ request: [UInt8], port: Int, authority: String? = nil, stopAfter: Duration = .seconds(20)
    ) async throws -> RawAnswer {
        try RawAnswer(try await bytes(request, port: port, authority: authority, stopAfter: stopAfter))
    }

    static func get(_ path: String, port: Int, token: String? = nil, accept: String = "application/json") async throws
        -> RawAnswer
    {
        try await send(request("GET", path, token: token, accept: accept), port: port)
    }

    static func request(
        _ method: String, _ path: String, token: String? = nil, accept: String = "application/json",
        type: String = "application/json", body: String = ""
    ) -> [UInt8] {
        let authorization = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        let head = "\(method) \(path) HTTP/1.1\r\nHost: x\r\nAccept: \(accept)\r\nConnection: close\r\n\(authorization)"
        return Array("\(head)Content-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)".utf8)
    }

    static func bytes(
        _ request: [UInt8], port: Int, authority: String? = nil, stopAfter: Duration = .seconds(20)
    ) async throws -> [UInt8] {
        let tls = try authority.map { path in
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .file(path)
            configuration.applicationProtocols = ["http/1.1"]
            return try NIOSSLContext(configuration: configuration)
        }
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: "localhost"))
                    }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let timer = channel.channel.eventLoop.scheduleTask(
            in: .milliseconds(Int64(stopAfter / .milliseconds(1)))
        ) { channel.channel.close(promise: nil) }
        defer { timer.cancel() }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(bytes: request))
            var answer: [UInt8] = []
            do {
                for try await buffer in inbound { answer += buffer.readableBytesView }
            } catch {
                // A cut connection is an end like others here.
            }
            return answer
        }
    }
}
