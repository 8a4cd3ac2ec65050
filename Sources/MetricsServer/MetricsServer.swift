// The agent's own HTTP server: its metrics for Prometheus, and whether it is healthy. What is counted and what healthy
// means is asked of others at each request; connections are HTTPServer's.

package import HTTPServing
package import Logging
import NIOHTTP1
package import NetworkTypes
import ServiceLifecycle
package import Telemetry

package struct MetricsServer: Service {
    private let server: HTTPServer

    /// `page` and `health` are called for each request, concurrently. For `didListen` and `didFail` see `HTTPServer`.
    package init(
        _ configuration: HTTPServer.Configuration, logger: Logger,
        didListen: @escaping @Sendable (AddressAndPort) -> Void = { _ in },
        didFail: @escaping @Sendable (ListenError) async -> Void = { _ in },
        page: @escaping @Sendable () async -> MetricsPage,
        health: @escaping @Sendable () async -> (healthy: Bool, body: String)
    ) {
        server = HTTPServer(configuration, logger: logger, didListen: didListen, didFail: didFail) { request in
            await Self.answer(request, page, health)
        }
    }

    /// See `HTTPServer.run`.
    package func run() async throws {
        try await server.run()
    }

    /// Unknown paths are 404 whatever the method; known ones take GET and HEAD.
    private static func answer(
        _ request: HTTPRequest,
        _ page: @Sendable () async -> MetricsPage,
        _ health: @Sendable () async -> (healthy: Bool, body: String)
    ) async -> HTTPAnswer {
        guard let path = Path(rawValue: request.path) else { return .plain(.notFound) }
        guard request.method == .GET || request.method == .HEAD else {
            var refusal = HTTPAnswer.plain(.methodNotAllowed)
            refusal.headers.append(.init(name: "Allow", value: "GET, HEAD"))
            return refusal
        }
        switch path {
        case .metrics:
            return await HTTPAnswer(status: .ok, contentType: MetricsPage.contentType, body: page().prometheusText)
        case .healthz:
            let (healthy, body) = await health()
            return HTTPAnswer(status: healthy ? .ok : .serviceUnavailable, body: body)
        }
    }

    private enum Path: String {
        case metrics = "/metrics"
        case healthz = "/healthz"
    }
}
