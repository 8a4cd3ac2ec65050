// The answer to one request: its head, and its body as it arrives. Letting go of it ends the request.

import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix

package struct APIAnswer: Sendable {
    package let status: Int
    /// Empty without one.
    package let contentType: String
    /// Of a Retry-After header in seconds.
    package let retryAfter: Duration?
    private let body: HTTPClientResponse.Body
    private let server: String

    init(_ response: HTTPClientResponse, server: String) {
        status = Int(response.status.code)
        contentType = response.headers.first(name: "Content-Type") ?? ""
        retryAfter = response.headers.first(name: "Retry-After").flatMap { Int($0) }
            .flatMap { $0 >= 0 ? .seconds(min($0, 86400)) : nil }
        body = response.body
        self.server = server
    }

    /// The body, for one reader.
    package func chunks() -> Chunks { Chunks(body: body.makeAsyncIterator(), server: server) }

    /// The first `limit` bytes of the body; what is missing of it, and why, does not matter.
    package func beginning(limit: Int) async -> [UInt8] {
        var bytes: [UInt8] = []
        var chunks = chunks()
        while bytes.count < limit, let chunk = try? await chunks.next() { bytes += chunk }
        return Array(bytes.prefix(limit))
    }

    package struct Chunks {
        fileprivate var body: HTTPClientResponse.Body.AsyncIterator
        fileprivate let server: String

        /// Nil at the end of the body.
        package mutating func next() async throws(ClientFailure) -> [UInt8]? {
            do {
                return try await body.next().map { Array($0.readableBytesView) }
            } catch {
                throw ClientFailure(error, server: server)
            }
        }
    }
}

extension ClientFailure {
    init(_ error: any Error, server: String) {
        switch error {
        case is CancellationError: self = .cancelled
        case let error as HTTPClientError where error == .cancelled && Task.isCancelled: self = .cancelled
        case let error as HTTPClientError where error == .readTimeout || error == .deadlineExceeded:
            self = .stalled(server: server)
        case let error as NIOConnectionError:
            let reasons = error.connectionErrors.map { "\($0.error)" }
            self = .connection(
                server: server,
                reason: reasons.isEmpty ? "the name cannot be resolved" : reasons.joined(separator: "; "))
        case let error as HTTPClientError:
            self = .connection(server: server, reason: error.shortDescription.lowercased())
        default: self = .connection(server: server, reason: Self.words("\(error)"))
        }
    }

    private static func words(_ reason: String) -> String {
        guard reason.contains("CERTIFICATE_VERIFY_FAILED") else { return reason }
        return "its certificate is not signed by the certificate authority, or is for another name, or has expired"
    }
}
