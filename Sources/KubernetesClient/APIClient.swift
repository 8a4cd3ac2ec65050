// Asks an API server: one request at a time and task, answers as they arrive. HTTP/2 where the server offers it, TLS
// always. What is asked, and what answers mean, is up to others.

import AsyncHTTPClient
package import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import ServiceModel
import Synchronization

package final class APIClient: Sendable {
    package struct Settings: Sendable {
        /// How long nothing may come, in an answer that is not at its end.
        package var silence: Duration = .seconds(150)
        /// How long an answer may take to begin.
        package var firstByte: Duration = .seconds(30)
        package var connect: Duration = .seconds(10)
        package var userAgent = "martlet"
        package var budget = RequestBudget()

        package init() {}
    }

    private struct State {
        /// Built when it is needed first, and again when files have changed or a connection was dead.
        var http: HTTPClient?
        var material: AccessMaterial?
        var server = 0
        /// Of requests that read. Those that write have one of their own, so that nothing that is told of keeps lists
        /// waiting.
        var budget: RequestBudget
        var writingBudget = RequestBudget()
        var statistics = RequestStatistics()
        var isShutDown = false
    }

    private let access: ClusterAccess
    private let settings: Settings
    private let plugin: PluginCredentials?
    private let log: Logger
    private let state: Mutex<State>

    /// Nothing is opened before the first request. `shutDown` has to be called at the end.
    package init(access: ClusterAccess, settings: Settings = Settings(), log: Logger) {
        self.access = access
        self.settings = settings
        self.log = log
        plugin = access.plugin.map { PluginCredentials($0, log: log) }
        state = Mutex(State(budget: settings.budget))
    }

    /// What was asked so far, with what result, and how long answers took to begin.
    package var statistics: RequestStatistics { state.withLock { $0.statistics } }

    /// The server that is asked at the moment.
    package var server: ServerAddress { state.withLock { access.servers[$0.server] } }

    /// Asks, and returns when the head of the answer is there, whatever its status. Waits its turn first, unless it is
    /// for a watch (API-6).
    ///
    /// - Parameter target: path and query, as they go into the request.
    package func get(_ target: String, accept: String, isWatch: Bool) async throws(ClientFailure) -> APIAnswer {
        if !isWatch { try await waitForTurn(isWriting: false) }
        return try await ask(isWatch ? .watch : .list, Call(target: target, accept: accept))
    }

    /// Makes or changes an object, in the same way.
    package func send(
        _ verb: WritingVerb, _ target: String, _ body: [UInt8]
    ) async throws(ClientFailure) -> APIAnswer {
        try await waitForTurn(isWriting: true)
        return try await ask(
            verb.verb,
            Call(target: target, accept: "application/json", body: body, contentType: verb.contentType))
    }

    package enum WritingVerb: Sendable {
        /// POST of a JSON object.
        case create
        /// PATCH with a JSON merge patch (RFC 7386).
        case patch

        fileprivate var verb: RequestVerb {
            switch self {
            case .create: .create
            case .patch: .patch
            }
        }

        fileprivate var contentType: String {
            switch self {
            case .create: "application/json"
            case .patch: "application/merge-patch+json"
            }
        }
    }

    private struct Call {
        var target: String
        var accept: String
        var body: [UInt8]?
        var contentType = ""
    }

    private func waitForTurn(isWriting: Bool) async throws(ClientFailure) {
        let pause = state.withLock { isWriting ? $0.writingBudget.take(now: .now) : $0.budget.take(now: .now) }
        if pause > .zero, (try? await Task.sleep(for: pause)) == nil { throw .cancelled }
    }

    private func ask(_ verb: RequestVerb, _ call: Call) async throws(ClientFailure) -> APIAnswer {
        let server = server
        let began = ContinuousClock.now
        do throws(ClientFailure) {
            let answer = try await ask(server, verb, call)
            note(verb, server, answer.status, since: began)
            return answer
        } catch {
            guard error != .cancelled else { throw error }
            note(verb, server, nil, since: began)
            moveOn(from: server)
            throw error
        }
    }

    private func ask(
        _ server: ServerAddress, _ verb: RequestVerb, _ call: Call
    ) async throws(ClientFailure) -> APIAnswer {
        let credential = try await credential(for: server)
        let http = try client(for: server, certificate: credential?.certificate ?? access.certificate)
        let authority = "\(server.urlHost(access.serverName)):\(server.port)"
        var request = HTTPClientRequest(url: "https://\(authority)\(server.prefix)\(call.target)")
        request.method = HTTPMethod(rawValue: verb.method)
        request.headers = ["Host": server.hostAndPort, "Accept": call.accept]
        request.headers.add(name: "User-Agent", value: settings.userAgent)
        let token = credential.map { $0.token.map(ClusterAccess.Token.fixed) ?? .none } ?? access.token
        if let authorization = try token.authorization() {
            request.headers.add(name: "Authorization", value: authorization)
        }
        if let body = call.body {
            request.headers.add(name: "Content-Type", value: call.contentType)
            request.body = .bytes(body)
        }
        do {
            let response = try await http.execute(request, deadline: .now() + TimeAmount(settings.firstByte))
            if response.status == .unauthorized, let credential { await plugin?.discard(credential) }
            return APIAnswer(response, server: "\(server)")
        } catch {
            throw ClientFailure(error, server: "\(server)")
        }
    }

    /// What the credential plugin has given; nil without one.
    private func credential(for server: ServerAddress) async throws(ClientFailure) -> ExecCredential? {
        guard let plugin else { return nil }
        return try await plugin.current(for: ClusterInformation(access, server: server))
    }

    /// The client for the files as they are now.
    private func client(
        for server: ServerAddress, certificate: ClusterAccess.Certificate?
    ) throws(ClientFailure) -> HTTPClient {
        let material = try AccessMaterial(access, certificate: certificate, server: server)
        let present = state.withLock { $0.material == material ? $0.http : nil }
        if let present { return present }
        let made = HTTPClient(eventLoopGroupProvider: .singleton, configuration: try configuration(material))
        let (used, unused) = state.withLock { state -> (HTTPClient?, HTTPClient?) in
            // Nobody would end what is begun now.
            if state.isShutDown { return (nil, made) }
            // Another task may have been faster.
            if state.material == material, let present = state.http { return (present, made) }
            defer {
                state.http = made
                state.material = material
            }
            return (made, state.http)
        }
        close(unused)
        guard let used else { throw .cancelled }
        return used
    }

    private func configuration(_ material: AccessMaterial) throws(ClientFailure) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: try material.configuration(), redirectConfiguration: .disallow,
            timeout: HTTPClient.Configuration.Timeout(
                connect: TimeAmount(settings.connect), read: TimeAmount(settings.silence)))
        configuration.httpVersion = .automatic
        // Failures are to be seen at once, by those who decide what to do then.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.http1_1ConnectionDebugInitializer = { Liveness.watch($0) }
        configuration.http2ConnectionDebugInitializer = { Liveness.watch($0) }
        configuration.dnsOverride = material.nameOverride
        if let proxy = access.proxy { configuration.proxy = proxy.asClientProxy }
        return configuration
    }

    /// Other requests on the connections that there are may be as stuck as the one that was: they end, and begin again
    /// on new ones.
    package func abandonConnections() {
        close(
            state.withLock { state in
                defer { state.http = nil }
                return state.http
            })
    }

    private func close(_ http: HTTPClient?) {
        guard let http else { return }
        let log = log
        http.shutdown().whenFailure { log.debug("old connections cannot be closed", metadata: ["error": "\($0)"]) }
    }

    private func note(
        _ verb: RequestVerb, _ server: ServerAddress, _ code: Int?, since began: ContinuousClock.Instant
    ) {
        let took = ContinuousClock.now - began
        state.withLock { $0.statistics.note(verb, host: server.hostAndPort, code: code, took: took) }
    }

    /// Next time another server is asked, unless somebody else has gone on already.
    private func moveOn(from server: ServerAddress) {
        guard access.servers.count > 1 else { return }
        state.withLock { state in
            guard access.servers[state.server] == server else { return }
            state.server = (state.server + 1) % access.servers.count
        }
    }

    /// Ends every connection. The client is of no use afterwards.
    package func shutDown() async {
        let http = state.withLock { state in
            defer { state.http = nil }
            state.isShutDown = true
            return state.http
        }
        try? await http?.shutdown()
    }
}

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .seconds(seconds) + .nanoseconds(attoseconds / 1_000_000_000)
    }
}

extension ProxyAddress {
    fileprivate var asClientProxy: HTTPClient.Configuration.Proxy {
        switch kind {
        case .socks5: return .socksServer(host: host, port: port)
        case .http:
            guard let credentials else { return .server(host: host, port: port) }
            let parts = credentials.text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            return .server(
                host: host, port: port,
                authorization: .basic(username: String(parts[0]), password: String(parts.last ?? "")))
        }
    }
}
