// A source that follows an API server stand-in over real TLS, and what it has told so far.

import APIServer
import APIServerState
import Foundation
import KubernetesClient
import KubernetesSource
import Logging
import ServiceModel
import Synchronization
import Testing

final class Follower: Sendable {
    struct Told {
        var facts: [ObjectIdentity: FactChange] = [:]
        var problems: [SourceProblem] = []
        var isSynced = false
        var updates = 0
        var changes = 0
        var isPaused = false
    }

    let source: KubernetesSource
    let client: APIClient
    private let told = Mutex(Told())

    init(_ access: ClusterAccess, wantsJSON: Bool = false, silence: Duration = .seconds(150)) {
        let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var settings = KubernetesSource.Settings()
        settings.wantsJSON = wantsJSON
        var clientSettings = APIClient.Settings()
        clientSettings.silence = silence
        client = APIClient(access: access, settings: clientSettings, log: log)
        source = KubernetesSource(client: client, nodeName: "node1", settings: settings, log: log)
    }

    var state: Told { told.withLock { $0 } }
    var facts: [ObjectIdentity: FactChange] { state.facts }

    func pause(_ isPaused: Bool) {
        told.withLock { $0.isPaused = isPaused }
        if !isPaused { take() }
    }

    /// Follows until `body` is done.
    func run(_ body: @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.source.run() }
            group.addTask {
                for await _ in self.source.signals where !self.state.isPaused { self.take() }
            }
            defer { group.cancelAll() }
            try await body()
        }
    }

    private func take() {
        guard let update = source.take() else { return }
        told.withLock { told in
            told.isSynced = told.isSynced || update.isFirst
            told.problems = update.problems
            told.updates += 1
            told.changes += update.changes.count
            for change in update.changes { told.facts[change.identity] = change.isDeletion ? nil : change }
        }
    }

    /// Waits until what was told is what the server has.
    func converges(with server: APIServer, within limit: Duration = .seconds(60)) async -> Bool {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if state.isSynced, let expected = try? await server.expectedFacts(), facts == expected { return true }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    func waits(within limit: Duration = .seconds(60), for isThere: (Follower) -> Bool) async -> Bool {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            if isThere(self) { return true }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return false
    }
}

extension FactChange {
    var identity: ObjectIdentity {
        switch self {
        case .service(let name, _): ObjectIdentity(kind: .service, name: name)
        case .endpointSlice(let name, _): ObjectIdentity(kind: .endpointSlice, name: name)
        case .node(let name, _): ObjectIdentity(kind: .node, name: ObjectName(namespace: "", name: name))
        case .serviceCIDR(let name, _): ObjectIdentity(kind: .serviceCIDR, name: ObjectName(namespace: "", name: name))
        }
    }
}

extension APIServer {
    /// What a proxy on node1 should know of the server's objects, found without the code under test: every object as
    /// JSON through the decoders of manifests, and kube-proxy's selectors applied by hand.
    func expectedFacts() async throws -> [ObjectIdentity: FactChange] {
        var facts: [ObjectIdentity: FactChange] = [:]
        for (endpoint, kind) in Self.kinds {
            for object in try await store.list(.init(APIServerState.Selection(endpoint))).objects {
                let isForeign = object.labels["service.kubernetes.io/service-proxy-name"] != nil
                if kind == .service, isForeign || object.json.at("spec", "clusterIP")?.string == "None" { continue }
                if kind == .endpointSlice, object.labels["service.kubernetes.io/headless"] != nil { continue }
                if kind == .node, object.key.name != "node1" { continue }
                let value = try #require(try JSONText.parse(object.jsonItem(endpoint)).first).value
                guard case .fact(let fact) = ObjectDecoder.decode(value, as: kind, place: "").outcome else { continue }
                facts[fact.identity] = fact.change
            }
        }
        return facts
    }

    private static let kinds: [(APIServerState.Endpoint, FactKind)] = [
        (.services, .service), (.endpointSlices, .endpointSlice), (.nodes, .node), (.serviceCIDRs, .serviceCIDR),
    ]

    /// The access of a kubeconfig with the server's address, authority and a token.
    func access(_ certificate: ServerCertificate, token: ClusterAccess.Token = .fixed(Secret("t"))) -> ClusterAccess {
        var access = ClusterAccess(servers: [ServerAddress(host: "127.0.0.1", port: port)])
        access.authority = .file(certificate.authority)
        access.token = token
        return access
    }

    static let node1: JSON = [
        "metadata": ["name": "node1", "labels": ["topology.kubernetes.io/zone": "zone-a"]],
        "status": ["addresses": [["type": "InternalIP", "address": "192.168.50.1"]]],
    ]
}

/// A server with TLS, a node and some services.
func withServer(
    http2: Bool = true, services: Int = 20, adjust: (inout ServerSettings) -> Void = { _ in },
    _ body: @escaping @Sendable (APIServer, ServerCertificate, String) async throws -> Void
) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "martlet-api-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let certificate = try ServerCertificate.make(in: folder)
    var settings = ServerSettings()
    settings.security = .tls(certificate, http2: http2)
    settings.users = ["t": User(name: "system:kube-proxy", role: .nodeProxier)]
    settings.bookmarkInterval = .milliseconds(200)
    adjust(&settings)
    try await APIServer.with(settings) { server in
        try await server.store.create(.nodes, APIServer.node1)
        try await server.store.makeServices(services, endpointsEach: 3)
        try await body(server, certificate, folder)
    }
}
