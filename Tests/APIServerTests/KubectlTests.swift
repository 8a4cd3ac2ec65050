// Real kubectl against the stand-in, over TLS and HTTP/2: what keeps the stand-in honest. kubectl comes with .ci/setup;
// without it these tests fail. There is no OpenAPI schema here, so apply runs with --validate=false.

import APIServer
import APIServerState
import Foundation
import Testing

@Suite("kubectl on the API server stand-in")
struct KubectlTests {
    private struct Kubectl {
        let program: String
        let folder: ScratchFolder
        let configuration: String

        init(_ server: APIServer, _ certificate: ServerCertificate, _ folder: ScratchFolder) throws {
            self.folder = folder
            let cache = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? NSHomeDirectory() + "/.cache"
            program = ProcessInfo.processInfo.environment["MARTLET_KUBECTL"] ?? "\(cache)/martlet/tools/bin/kubectl"
            try #require(FileManager.default.isExecutableFile(atPath: program), "kubectl is missing: run .ci/setup")
            configuration = try folder.write(
                """
                apiVersion: v1
                kind: Config
                clusters: [{name: c, cluster: {server: "\(server.url)", certificate-authority: \(certificate.authority)}}]
                contexts: [{name: c, context: {cluster: c, user: u}}]
                current-context: c
                users: [{name: u, user: {token: secret}}]
                """, to: "kubeconfig")
        }

        func start(_ arguments: [String]) throws -> ChildProcess {
            try ChildProcess(program, arguments, environment: ["KUBECONFIG": configuration], in: folder)
        }

        /// The output of a command that must succeed.
        func run(_ arguments: String...) async throws -> String {
            let result = await (try start(arguments)).wait()
            try #require(result.status == 0, "kubectl \(arguments): \(result.errors)")
            return result.output
        }

        func apply(_ manifest: String) async throws -> String {
            let file = try folder.write(manifest, to: "manifest.yaml")
            return try await run("apply", "--validate=false", "-f", file)
        }
    }

    private func with(_ body: @escaping @Sendable (Kubectl, APIServer) async throws -> Void) async throws {
        let folder = try ScratchFolder()
        let certificate = try ServerCertificate.make(in: folder.path)
        var settings = ServerSettings()
        settings.security = .tls(certificate)
        settings.users = ["secret": User(name: "admin", role: .administrator)]
        try await APIServer.with(settings) { server async throws in
            try await body(try Kubectl(server, certificate, folder), server)
        }
    }

    private static let service = """
        apiVersion: v1
        kind: Service
        metadata: {name: web, labels: {team: a}}
        spec:
          type: NodePort
          selector: {app: web}
          ports: [{name: http, port: 80, targetPort: 8080}, {name: dns, port: 53, protocol: UDP}]
        """

    private static let slice = """
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata: {name: web-1, labels: {kubernetes.io/service-name: web}}
        addressType: IPv4
        endpoints: [{addresses: [10.1.2.3], conditions: {ready: true}}]
        ports: [{name: http, port: 8080}]
        """

    @Test("kubectl applies Services and EndpointSlices, and gets what it applied")
    func applyAndGet() async throws {
        try await with { kubectl, server async throws in
            #expect(try await kubectl.apply(Self.service) == "service/web created\n")
            #expect(try await kubectl.apply(Self.slice) == "endpointslice.discovery.k8s.io/web-1 created\n")
            let names = try await kubectl.run("get", "services,endpointslices", "-A", "-o", "name")
            #expect(names == "service/kubernetes\nservice/web\nendpointslice.discovery.k8s.io/web-1\n")
            let json = try JSONParser.parse(try await kubectl.run("get", "service", "web", "-o", "json"))
            #expect(json.at("spec", "clusterIP")?.string?.hasPrefix("10.96.") == true)
            #expect(json.at("spec", "externalTrafficPolicy") == "Cluster")
            #expect(json.at("spec", "sessionAffinity") == "None")
            let ports = try #require(json.at("spec", "ports")?.array)
            #expect(ports.map { $0["targetPort"] } == [8080, 53])
            #expect(ports.allSatisfy { (30000...32767).contains($0["nodePort"]?.integer ?? 0) })
            #expect(server.journal.entries.filter { !$0.isHTTP2 }.map(\.path) == [])
            let description = try await kubectl.run("describe", "service", "web")
            #expect(description.contains("10.1.2.3:8080"))
        }
    }

    @Test("kubectl applies a changed Service by a strategic merge patch, and what it does not name stays")
    func applyChange() async throws {
        try await with { kubectl, server async throws in
            _ = try await kubectl.apply(Self.service)
            let key = ObjectKey(namespace: "default", name: "web")
            let before = try #require(await server.store.object(.services, key))
            #expect(try await kubectl.apply(Self.service) == "service/web unchanged\n")
            let changed = Self.service.replacing("port: 80,", with: "port: 81,").replacing("team: a", with: "tier: b")
            #expect(try await kubectl.apply(changed) == "service/web configured\n")
            let after = try #require(await server.store.object(.services, key))
            #expect(after.labels == ["tier": "b"])
            #expect(after.json.at("spec", "ports")?.array?.map { $0["port"] } == [81, 53])
            #expect(after.json.at("spec", "clusterIP") == before.json.at("spec", "clusterIP"))
            let dns = { (object: StoredObject) in object.json.at("spec", "ports")?.array?.last?["nodePort"] }
            #expect(dns(after) == dns(before))
        }
    }

    @Test("kubectl get -w shows objects as they come, change and go")
    func watch() async throws {
        try await with { kubectl, server async throws in
            let watch = try kubectl.start(["get", "services", "-w", "--output-watch-events"])
            try await watch.waitForOutput("ADDED      kubernetes")
            _ = try await kubectl.apply(Self.service)
            try await watch.waitForOutput("ADDED      web")
            _ = try await kubectl.run("label", "service", "web", "team=c", "--overwrite")
            try await watch.waitForOutput("MODIFIED   web")
            _ = try await kubectl.run("delete", "service", "web")
            try await watch.waitForOutput("DELETED    web")
            _ = await watch.terminate()
        }
    }

    @Test("kubectl get events and describe show what was recorded")
    func events() async throws {
        try await with { kubectl, server async throws in
            _ = try await kubectl.apply(Self.service)
            let key = ObjectKey(namespace: "default", name: "web")
            let uid = try #require(await server.store.object(.services, key)?.json.at("metadata", "uid"))
            var event = EventStoreTests.event
            event["regarding"]?["uid"] = uid
            try await server.store.create(.events, namespace: "default", event)
            #expect(try await kubectl.run("get", "events", "-o", "name") == "event/web.1\n")
            let selected = try await kubectl.run(
                "get", "events.events.k8s.io", "-A", "-o", "jsonpath={.items[*].note}")
            #expect(selected == "the port is taken")
            let described = try await kubectl.run("describe", "service", "web")
            #expect(described.contains("FailedToStartServiceHealthcheck") && described.contains("the port is taken"))
            #expect(described.contains("Warning") && described.contains("martlet"))
        }
    }

    @Test("kubectl gets lists page by page, and names the server's version")
    func pages() async throws {
        try await with { kubectl, server async throws in
            try await server.store.makeServices(12, endpointsEach: 1)
            let names = try await kubectl.run("get", "services", "--chunk-size=5", "-o", "name")
            #expect(names.split(separator: "\n").count == 13)
            let pages = server.journal.entries.filter { $0.query["limit"] == "5" }
            #expect(pages.count == 3)
            #expect(pages.dropFirst().allSatisfy { $0.query["continue"] != nil })
            #expect(try await kubectl.run("version").contains("Server Version: v1.36.2"))
        }
    }

    @Test("kubectl shows the server's reason when a Service is refused")
    func refusal() async throws {
        try await with { kubectl, _ async throws in
            let file = try kubectl.folder.write(
                Self.service.replacing("protocol: UDP", with: "protocol: XTP"), to: "bad.yaml")
            let result = await (try kubectl.start(["apply", "--validate=false", "-f", file])).wait()
            #expect(result.status == 1)
            #expect(result.errors.contains("spec.ports[1].protocol: Unsupported value: \"XTP\""))
        }
    }
}
