// Credential plugins: what a kubeconfig file says of them, what they answer, and real programs that are run.

import Foundation
import Logging
import ManifestSource
import ServiceModel
import Testing

@testable import KubernetesClient

@Suite("Credential plugins")
struct CredentialPluginTests {
    private static let version = "client.authentication.k8s.io/v1"

    private func document(_ text: String) throws -> FieldValue {
        try #require(try YAMLText.parse(Array(text.utf8)).first).value
    }

    private func kubeconfig(_ exec: String, allowed: Bool) throws -> ClusterAccess {
        let text = """
            current-context: c
            contexts: [{name: c, context: {cluster: k, user: u}}]
            clusters: [{name: k, cluster: {server: "https://10.0.0.1:6443"}}]
            users: [{name: u, user: {exec: \(exec)}}]
            """
        return try Kubeconfig.access(
            from: try document(text), folder: "/etc/martlet", allowsPlugins: allowed)
    }

    @Test("a file that names one is refused unless the operator allows it, and told how")
    func refusedUnlessAllowed() throws {
        let exec =
            "{command: aws, apiVersion: \(Self.version), args: [eks, get-token], env: [{name: A, value: s3cret}]}"
        let error = #expect(throws: FieldProblem.self) { try kubeconfig(exec, allowed: false) }
        #expect(error?.field == "users[0].user.exec")
        #expect(error?.message.contains("--allow-credential-plugins") == true)
        let access = try kubeconfig(exec, allowed: true)
        #expect(access.plugin?.command == "aws" && access.plugin?.arguments == ["eks", "get-token"])
        #expect(!"\(access)".contains("s3cret"))
    }

    @Test("a command with a slash begins at the file's folder")
    func folder() throws {
        let exec = "{command: ./bin/login, apiVersion: \(Self.version)}"
        #expect(try kubeconfig(exec, allowed: true).plugin?.command == "/etc/martlet/./bin/login")
    }

    @Test(
        "what is missing or wrong is named",
        arguments: [
            ("{apiVersion: \(version)}", "command"), ("{command: a}", "apiVersion"),
            ("{command: a, apiVersion: client.authentication.k8s.io/v1alpha1}", "apiVersion"),
            ("{command: a, apiVersion: \(version), interactiveMode: Always}", "interactiveMode"),
            ("{command: a, apiVersion: \(version), env: [{name: A, value: 5}]}", "env[0].value"),
        ])
    func wrong(_ exec: String, _ field: String) {
        let error = #expect(throws: FieldProblem.self) { try kubeconfig(exec, allowed: true) }
        #expect(error?.field == "users[0].user.exec.\(field)")
    }

    @Test(
        "an answer that is no credential is refused, and never repeated",
        arguments: [
            "s3cret", #"{"kind":"Pod","apiVersion":"v1","status":{"token":"s3cret"}}"#,
            #"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"s3cret"}}"#,
            #"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{}}"#,
            #"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"clientKeyData":"s3cret"}}"#,
            #"{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"s3cret","expirationTimestamp":"soon"}}"#,
        ])
    func answers(_ text: String) {
        let error = #expect(throws: FieldProblem.self) {
            try ExecCredential(Array(text.utf8), apiVersion: Self.version)
        }
        #expect(error.map { !"\($0)".contains("s3cret") } == true)
    }
}

@Suite("Credential plugins that run")
struct PluginCredentialsTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "martlet-plugin-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// A program that notes each run and prints what `body` prints.
    private func credentials(_ body: String, patience: Duration = .seconds(60)) throws -> PluginCredentials {
        let program = folder.appending(path: "plugin")
        let text = "#!/bin/bash\necho \"$KUBERNETES_EXEC_INFO $GREETING $*\" >>\(folder.path)/runs\n\(body)\n"
        try Data(text.utf8).write(to: program)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
        let plugin = try CredentialPlugin(
            .object([
                "command": .string(program.path), "apiVersion": .string(CredentialPlugin.versions[0]),
                "args": .array([.string("one"), .string("two words")]), "provideClusterInfo": .bool(true),
                "env": .array([.object(["name": .string("GREETING"), "value": .string("hello")])]),
            ]), folder: "/")
        return PluginCredentials(plugin, patience: patience, log: Logger(label: "test"))
    }

    private func answer(_ token: String, expires: String? = nil) -> String {
        let expiry = expires.map { #","expirationTimestamp":"\#($0)""# } ?? ""
        let version = CredentialPlugin.versions[0]
        return "echo '"
            + #"{"kind":"ExecCredential","apiVersion":"\#(version)","status":{"token":"\#(token)"\#(expiry)}}"# + "'"
    }

    private var cluster: ClusterInformation {
        get throws {
            var access = ClusterAccess(servers: [ServerAddress(host: "10.0.0.1", port: 6443)])
            access.authority = .bytes(Array("PEM".utf8))
            return try ClusterInformation(access, server: access.servers[0])
        }
    }

    private func runs() throws -> [String] {
        String(decoding: try Data(contentsOf: folder.appending(path: "runs")), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }

    private func done() { try? FileManager.default.removeItem(at: folder) }

    @Test("is run once for many requests, with its arguments, variables and the cluster, and again when it is refused")
    func once() async throws {
        defer { done() }
        let credentials = try credentials(answer("t"))
        let cluster = try cluster
        try await withThrowingTaskGroup(of: ExecCredential.self) { group in
            for _ in 0..<4 { group.addTask { try await credentials.current(for: cluster) } }
            for try await credential in group { #expect(credential.token == Secret("t")) }
        }
        let told = try runs()
        #expect(told.count == 1)
        #expect(told[0].hasSuffix("hello one two words"))
        #expect(told[0].contains(#""certificate-authority-data":"UEVN""#) && told[0].contains("10.0.0.1:6443"))
        #expect(told[0].contains(#""interactive":false"#))
        await credentials.discard(try await credentials.current(for: cluster))
        _ = try await credentials.current(for: cluster)
        #expect(try runs().count == 2)
    }

    @Test("what has ended is asked for again, what has not is not")
    func expiry() async throws {
        defer { done() }
        let credentials = try credentials(answer("t", expires: "2020-01-01T00:00:00Z"))
        for _ in 0..<2 { _ = try await credentials.current(for: cluster) }
        #expect(try runs().count == 2)
        let good = try self.credentials(answer("t", expires: "2999-01-01T00:00:00Z"))
        for _ in 0..<2 { _ = try await good.current(for: cluster) }
        #expect(try runs().count == 3)
    }

    @Test(
        "one that fails, is not there, says nonsense or takes too long is named with its reason",
        arguments: [
            ("echo key of 3 >&2; echo no login >&2; exit 3", "no login"), ("echo s3cret", "no credential"),
            ("head -c 2000000 /dev/zero", "cannot be run"), ("exec sleep 600", "has not answered"),
        ])
    func failures(_ body: String, _ reason: String) async throws {
        defer { done() }
        let credentials = try credentials(body, patience: .seconds(body.contains("sleep") ? 1 : 60))
        let error = await #expect(throws: ClientFailure.self) { try await credentials.current(for: cluster) }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains(reason) && text.contains("/plugin") && !text.contains("s3cret"), "\(text)")
    }

    @Test("one that is not there says what its installer should know")
    func missing() async throws {
        defer { done() }
        let plugin = try CredentialPlugin(
            .object([
                "command": .string("no-such-plugin"), "apiVersion": .string(CredentialPlugin.versions[0]),
                "installHint": .string("install it from the shop"),
            ]), folder: "/")
        let credentials = PluginCredentials(plugin, log: Logger(label: "test"))
        let error = await #expect(throws: ClientFailure.self) { try await credentials.current(for: cluster) }
        #expect(error.map { "\($0)".contains("install it from the shop") } == true, "\(String(describing: error))")
    }
}
