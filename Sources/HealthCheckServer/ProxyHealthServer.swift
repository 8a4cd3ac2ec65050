// Where load balancers and probes ask for the proxy's own health: /healthz, which counts the node in, and /livez, which
// does not (HZ-1). Kubernetes' default place is 0.0.0.0:10256.

package import HTTPServing
package import Logging
import NIOHTTP1
package import NetworkTypes
import ServiceLifecycle

package struct ProxyHealthServer: Service {
    private let server: HTTPServer

    /// For `didListen` and `didFail` see `HTTPServer`.
    package init(
        _ configuration: HTTPServer.Configuration, board: HealthBoard, logger: Logger,
        didListen: @escaping @Sendable (AddressAndPort) -> Void = { _ in },
        didFail: @escaping @Sendable (ListenError) async -> Void = { _ in }
    ) {
        server = HTTPServer(configuration, logger: logger, didListen: didListen, didFail: didFail) { request in
            switch request.path {
            case "/healthz": board.healthz()
            case "/livez": board.livez()
            default: .plain(.notFound)
            }
        }
    }

    /// See `HTTPServer.run`.
    package func run() async throws {
        try await server.run()
    }
}
