// The agent's own HTTP server, at kube-proxy's metrics address: metrics for Prometheus, whether the process is alive, and
// pages that others make (MET-2). What they say is asked of others at each request; connections are HTTPServer's.

package import HTTPServing
package import Logging
import NIOHTTP1
package import NetworkTypes
import ServiceLifecycle
import Synchronization
package import Telemetry

package struct MetricsServer: Service {
    /// Made anew for each request.
    package typealias Page = @Sendable () async -> HTTPAnswer

    private let server: HTTPServer

    /// `metrics` and `pages` (by path) are called for each request, concurrently. For `didListen` and `didFail` see
    /// `HTTPServer`.
    package init(
        _ configuration: HTTPServer.Configuration, logger: Logger,
        didListen: @escaping @Sendable (AddressAndPort) -> Void = { _ in },
        didFail: @escaping @Sendable (ListenError) async -> Void = { _ in },
        metrics: @escaping @Sendable () async -> MetricsPage, pages: [String: Page] = [:]
    ) {
        let checks = HealthChecks()
        var all = pages
        all["/metrics"] = { await Self.answer(metrics()) }
        all["/metrics/slis"] = { Self.answer(checks.page) }
        all["/healthz"] = { checks.answer() }
        server = HTTPServer(configuration, logger: logger, didListen: didListen, didFail: didFail) { [all] request in
            await Self.answer(request, all)
        }
    }

    /// See `HTTPServer.run`.
    package func run() async throws {
        try await server.run()
    }

    private static func answer(_ page: MetricsPage) -> HTTPAnswer {
        HTTPAnswer(status: .ok, contentType: MetricsPage.contentType, body: page.prometheusText)
    }

    /// Unknown paths are 404 whatever the method; known ones take GET and HEAD.
    private static func answer(_ request: HTTPRequest, _ pages: [String: Page]) async -> HTTPAnswer {
        guard let page = pages[request.path] else { return .plain(.notFound) }
        guard request.method == .GET || request.method == .HEAD else {
            var refusal = HTTPAnswer.plain(.methodNotAllowed)
            refusal.headers.append(.init(name: "Allow", value: "GET, HEAD"))
            return refusal
        }
        return await page()
    }

    /// As by kube-proxy, health here means that the process answers; whether it keeps up is asked elsewhere (HZ-1).
    private final class HealthChecks: Sendable {
        private let count = Atomic<UInt64>(0)

        func answer() -> HTTPAnswer {
            count.add(1, ordering: .relaxed)
            return HTTPAnswer(status: .ok, body: "ok")
        }

        /// Service level indicators, as components of Kubernetes have them.
        var page: MetricsPage {
            MetricsPage([
                MetricFamily(
                    .gauge, "kubernetes_healthcheck", help: "1 where a check of /healthz succeeds.",
                    samples: [MetricSample(1, labels: ["name": "ping", "type": "healthz"])]),
                MetricFamily(
                    .counter, "kubernetes_healthchecks_total", help: "Checks made, by result.",
                    samples: [
                        MetricSample(
                            count.load(ordering: .relaxed),
                            labels: ["name": "ping", "status": "success", "type": "healthz"])
                    ]),
            ])
        }
    }
}
