// Writes the answer to one request: headers as the API server has them, a length for small bodies, chunks for others.

import APIServerState
import NIOCore
import NIOHTTP1

struct Exchange: Sendable {
    typealias Writer = NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>

    let request: APIRequest
    let writer: Writer
    let connection: Connection
    /// Of the HTTP/2 stream, or the connection's.
    let channel: any Channel
    let chunkBytes: Int

    /// A whole answer.
    func answer(
        _ status: HTTPResponseStatus, _ contentType: String, _ body: [UInt8], headers: [(String, String)] = []
    ) async throws {
        // Who is not known is turned away before priority and fairness.
        var all = Self.headers(contentType, isClassified: status != .unauthorized) + headers
        // What is longer does not fit into the buffer in which Go's server finds out lengths.
        let isShort = body.count <= (request.isHTTP2 ? 2 * chunkBytes : chunkBytes)
        if isShort { all.append(("Content-Length", String(body.count))) }
        try await start(status, headers: all, isChunked: !isShort)
        try await send(body)
        try await end()
    }

    func answer(_ status: APIStatus, _ encoding: Encoding = .json, headers: [(String, String)] = []) async throws {
        var headers = headers
        if let seconds = status.details?.retryAfterSeconds, seconds > 0 {
            headers.append(("Retry-After", String(seconds)))
        }
        try await answer(
            HTTPResponseStatus(statusCode: Int(status.code)), encoding.contentType, encoding.status(status),
            headers: headers)
    }

    func start(_ status: HTTPResponseStatus, headers: [(String, String)], isChunked: Bool) async throws {
        var headers = headers
        if isChunked && !request.isHTTP2 { headers.append(("Transfer-Encoding", "chunked")) }
        let version: HTTPVersion = request.isHTTP2 ? .http2 : .http1_1
        try await writer.write(
            .head(HTTPResponseHead(version: version, status: status, headers: HTTPHeaders(headers))))
    }

    /// Sends bytes of a started body now, cut into chunks that do not heed where objects end.
    func send(_ bytes: [UInt8]) async throws {
        let starts = stride(from: 0, to: bytes.count, by: chunkBytes)
        try await writer.write(
            contentsOf: starts.map { start in
                let end = min(start + chunkBytes, bytes.count)
                return .body(.byteBuffer(ByteBuffer(bytes: bytes[start..<end])))
            })
    }

    /// Returns when all has gone out: whoever closes the channel after this loses nothing. The writer alone would return
    /// when the channel has taken the bytes, which is before flow control has let them pass.
    func end() async throws {
        try await channel.writeAndFlush(HTTPServerResponsePart.end(nil))
    }

    static func headers(_ contentType: String, isClassified: Bool = true) -> [(String, String)] {
        var headers = [("Audit-Id", uuid()), ("Cache-Control", "no-cache, private"), ("Content-Type", contentType)]
        if isClassified {
            headers += [
                ("X-Kubernetes-Pf-Flowschema-Uid", flowSchema), ("X-Kubernetes-Pf-Prioritylevel-Uid", priorityLevel),
            ]
        }
        return headers + [("Date", HTTPDate.now())]
    }

    private static let flowSchema = "5b0db0fc-b14f-4471-81a8-321a54546600"
    private static let priorityLevel = "9bd78fc1-e062-46ed-9124-1f11303a4400"

    private static func uuid() -> String {
        let hex = String(UInt64.random(in: .min ... .max) | 1 << 63, radix: 16)
        return "\(hex.prefix(8))-\(hex.dropFirst(8).prefix(4))-4000-8000-\(hex.suffix(12))"
    }
}
