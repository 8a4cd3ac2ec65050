// A scene with an API server stand-in on the node, as a process: it is steered through its control socket, and what is in
// it is written and read over HTTPS, as any client does it.

import Datapath
import Foundation
import HostCalls
import Inspection
import ProbeProtocol
import Testing
import World

final class APIScene {
    let scene: Scene
    private let folder: String
    private let kubeconfig: String
    /// The options of an agent that follows the server.
    var source: [String] { ["--kubeconfig", kubeconfig] }

    init(_ scene: Scene) throws {
        self.scene = scene
        folder = try scene.world.makeFolder("api")
        kubeconfig = try scene.world.write(
            """
            current-context: c
            contexts: [{name: c, context: {cluster: k, user: u}}]
            clusters: [{name: k, cluster: {server: "https://127.0.0.1:6443", certificate-authority: api/ca.crt}}]
            users: [{name: u, user: {token: proxy}}]
            """, to: "kubeconfig")
        let server = try scene.node.spawn(
            try Self.binary(),
            [
                "--listen", "127.0.0.1:6443", "--make-certificates", folder, "--control", folder + "/control", "--user",
                "proxy=system:kube-proxy:node-proxier", "--user", "admin=admin:administrator",
            ])
        guard eventually(within: .seconds(30), { (try? control("revision")) != nil }) else {
            throw AgentTrouble(description: "the API server does not serve:\n\(server.errorOutput)")
        }
        try write(.post, "/api/v1/namespaces", #"{"metadata":{"name":"shop"}}"#)
    }

    private static func binary() throws -> String {
        let martlet = try Scene.martlet()
        return martlet.dropLast("martlet".count) + "martlet-api-server"
    }

    /// A command of the server's control socket, with its answer.
    @discardableResult
    func control(_ command: String) throws -> String {
        try curl(["--unix-socket", folder + "/control", "-X", "POST", "http://control/\(command)"])
    }

    enum Method: String {
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    @discardableResult
    func write(_ method: Method, _ path: String, _ body: String = "") throws -> String {
        try request(
            path, ["-X", method.rawValue, "-H", "Content-Type: application/json"] + (body.isEmpty ? [] : ["-d", body]))
    }

    func read(_ path: String) throws -> String { try request(path, []) }

    private func request(_ path: String, _ options: [String]) throws -> String {
        try curl(
            ["--cacert", folder + "/ca.crt", "-H", "Authorization: Bearer admin"] + options
                + ["https://127.0.0.1:6443\(path)"])
    }

    private func curl(_ arguments: [String]) throws -> String {
        let result = try scene.node.run("/usr/bin/curl", ["-sS", "--fail-with-body", "--max-time", "20"] + arguments)
        guard result.status == .exited(0) else {
            throw AgentTrouble(description: "curl \(arguments): \(result.errorOutput)\(result.output)")
        }
        return result.output
    }

    // MARK: Services

    func create(_ service: TestService) throws {
        try write(
            .post, "/api/v1/namespaces/shop/services",
            """
            {"metadata":{"name":"\(service.name)"},"spec":{"type":"\(service.type)","clusterIP":"\(service.address)",
             "ports":[{"name":"web","protocol":"\(service.transport)","port":\(service.port)}]}}
            """)
        try write(.post, Self.slices, slice(of: service))
    }

    func replaceSlice(of service: TestService) throws {
        try write(.put, "\(Self.slices)/\(service.name)-1", slice(of: service))
    }

    /// The service, and what it owns.
    func delete(_ service: TestService) throws {
        try write(.delete, "/api/v1/namespaces/shop/services/\(service.name)")
        try write(.delete, "\(Self.slices)/\(service.name)-1")
    }

    private static let slices = "/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices"

    private func slice(of service: TestService) -> String {
        let endpoints = service.endpoints.map { #"{"addresses":["\#($0)"],"conditions":{"ready":true}}"# }
        let annotations = service.triggerTime.map {
            #","annotations":{"endpoints.kubernetes.io/last-change-trigger-time":"\#($0)"}"#
        }
        return """
            {"metadata":{"name":"\(service.name)-1","labels":{"kubernetes.io/service-name":"\(service.name)"}\(annotations ?? "")},
             "addressType":"IPv4","ports":[{"name":"web","protocol":"\(service.transport)","port":\(service.targetPort)}],
             "endpoints":[\(endpoints.joined(separator: ","))]}
            """
    }

    // MARK: The agent

    /// Starts an agent that follows the server, and waits until it has programmed everything.
    func start(_ more: [String] = []) throws -> RunningAgent {
        let agent = try scene.launch(more, source: source)
        guard try agent.says("the objects of the API server are programmed") else {
            throw AgentTrouble(description: "the agent did not sync:\n\(agent.log)")
        }
        return agent
    }

    /// What the maps hold: the backends of every ClusterIP frontend, and none of one that refuses.
    func programmed() throws -> [String: [String]] {
        let words = ["frontends", "-o", "json", "--pin-folder", scene.folder.path]
        let entries = try JSONDecoder().decode([FrontendListing.Entry].self, from: try output(of: words))
        return Dictionary(
            uniqueKeysWithValues: entries.filter { $0.port != 0 }.map { ($0.identifier, $0.internal.backends.sorted()) }
        )
    }

    /// What the API says should be there: its lists as manifests, and the plan that `martlet plan` makes of them.
    func expected() throws -> [String: [String]] {
        let dump = try scene.world.makeFolder("dump-\(UUID().uuidString)")
        for (name, path) in [
            ("services", "/api/v1/services"), ("slices", "/apis/discovery.k8s.io/v1/endpointslices"),
            ("cidrs", "/apis/networking.k8s.io/v1/servicecidrs"),
        ] {
            try read(path).write(toFile: "\(dump)/\(name).json", atomically: true, encoding: .utf8)
        }
        let plan = try JSONDecoder().decode(
            Plan.self, from: try output(of: ["plan", "--manifests", dump, "--node", "worker-1", "-o", "json"]))
        var expected: [String: [String]] = [:]
        for port in plan.servicePorts {
            for frontend in port.frontends {
                expected["\(frontend.address):\(frontend.port)/\(port.protocol)"] =
                    frontend.internalTo == "cluster" ? port.targetSets.cluster.sorted() : []
            }
        }
        return expected
    }

    private func output(of words: [String]) throws -> Data {
        let result = try scene.node.run(Scene.martlet(), words)
        guard result.status == .exited(0) else { throw AgentTrouble(description: result.errorOutput) }
        return Data(result.output.utf8)
    }

    /// Waits until the maps are as the API's state says.
    func converges(within limit: Duration = .seconds(90)) throws -> Bool {
        try eventually(within: limit, every: .milliseconds(500)) { try programmed() == expected() }
    }

    private struct Plan: Decodable {
        struct ServicePort: Decodable {
            var `protocol`: String
            var targetSets: Sets
            var frontends: [Frontend]
        }

        struct Sets: Decodable {
            var cluster: [String]
        }

        struct Frontend: Decodable {
            var address: String
            var port: Int
            var internalTo: String
        }

        var servicePorts: [ServicePort]
    }
}
