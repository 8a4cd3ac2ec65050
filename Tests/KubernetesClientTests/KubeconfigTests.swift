// Kubeconfig files: which cluster and user they come to, and what is refused.

import KubernetesClient
import ManifestSource
import ServiceModel
import Testing

@Suite("Kubeconfig files")
struct KubeconfigTests {
    private static let whole = """
        apiVersion: v1
        kind: Config
        current-context: here
        contexts:
        - name: there
          context: {cluster: far, user: robot}
        - name: here
          context: {cluster: near, user: proxy, namespace: kube-system}
        clusters:
        - name: near
          cluster:
            server: https://10.0.0.1:6443
            certificate-authority: ca.crt
        - name: far
          cluster:
            server: https://api.example.com/k8s/clusters/c-1/
            certificate-authority-data: Y2VydGlmaWNhdGU=
            tls-server-name: kubernetes.default
            proxy-url: http://user:pass@proxy.example.com:3128
        users:
        - name: proxy
          user: {tokenFile: /var/run/token, token: older}
        - name: robot
          user: {client-certificate-data: Y2VydA==, client-key: keys/robot.pem, token: s3cret}
        """

    private func access(_ text: String, context: String? = nil) throws -> ClusterAccess {
        let document = try #require(try YAMLText.parse(Array(text.utf8)).first)
        return try Kubeconfig.access(from: document.value, context: context, folder: "/etc/martlet")
    }

    @Test("the current context decides; relative paths begin at the file; a token's file goes before a token")
    func currentContext() throws {
        let access = try access(Self.whole)
        #expect(access.servers == [ServerAddress(host: "10.0.0.1", port: 6443)])
        #expect(access.authority == .file("/etc/martlet/ca.crt"))
        #expect(access.token == .file("/var/run/token"))
        #expect(access.certificate == nil && access.proxy == nil && access.serverName == nil)
    }

    @Test("another context can be chosen, with data instead of files")
    func chosenContext() throws {
        let access = try access(Self.whole, context: "there")
        #expect(access.servers == [ServerAddress(host: "api.example.com", port: 443, prefix: "/k8s/clusters/c-1")])
        #expect(access.authority == .bytes(Array("certificate".utf8)))
        #expect(access.serverName == "kubernetes.default")
        #expect(access.certificate?.chain == .bytes(Array("cert".utf8)))
        #expect(access.certificate?.key == .file("/etc/martlet/keys/robot.pem"))
        #expect(access.token == .fixed(Secret("s3cret")))
        let proxy = try #require(access.proxy)
        #expect((proxy.kind, proxy.host, proxy.port) == (.http, "proxy.example.com", 3128))
    }

    @Test("secrets are never printed")
    func secrets() throws {
        let access = try access(Self.whole, context: "there")
        var dumped = ""
        dump(access, to: &dumped)
        for text in ["\(access)", String(reflecting: access), dumped] {
            #expect(!text.contains("s3cret") && !text.contains("pass"))
        }
    }

    @Test(
        "what cannot be honoured is refused by name",
        arguments: [
            ("insecure-skip-tls-verify: true", "", "clusters[0].cluster.insecure-skip-tls-verify"),
            ("proxy-url: https://proxy:1", "", "clusters[0].cluster.proxy-url"),
            ("certificate-authority-data: '%%%'", "", "clusters[0].cluster.certificate-authority-data"),
            ("", "exec: {command: aws, apiVersion: client.authentication.k8s.io/v1}", "users[0].user.exec"),
            ("", "auth-provider: {name: gcp}", "users[0].user.auth-provider"),
            ("", "username: admin", "users[0].user.username"), ("", "as: somebody", "users[0].user.as"),
            ("", "client-key: key.pem", "users[0].user.client-certificate"),
            ("", "client-certificate: cert.pem", "users[0].user.client-key"),
            ("", "token: 5", "users[0].user.token"),
        ])
    func refusals(_ cluster: String, _ user: String, _ field: String) {
        let text = """
            current-context: c
            contexts: [{name: c, context: {cluster: k, user: u}}]
            clusters:
            - name: k
              cluster:
                server: https://10.0.0.1:6443
                \(cluster)
            users:
            - name: u
              user:
                {\(user)}
            """
        let error = #expect(throws: FieldProblem.self) { try access(text) }
        #expect(error?.field == field)
    }

    @Test("a token that is a number is refused without being repeated")
    func numericToken() {
        let text = """
            current-context: c
            contexts: [{name: c, context: {cluster: k, user: u}}]
            clusters: [{name: k, cluster: {server: "https://10.0.0.1:6443"}}]
            users: [{name: u, user: {token: 123456}}]
            """
        let error = #expect(throws: FieldProblem.self) { try access(text) }
        #expect(error?.field == "users[0].user.token" && error?.message == "is not a string: put it in quotes")
    }

    @Test(
        "a server must be https, and a URL",
        arguments: [
            "http://10.0.0.1:8080", "ftp://x", "https://", "https://user:pw@host", "https://host:70000", "https://a b",
        ])
    func servers(_ text: String) {
        let error = #expect(throws: FieldProblem.self) { try ServerAddress(text) }
        #expect(error?.message.contains("pw") == false)
    }

    @Test("IPv6 servers, ports and paths are understood")
    func addresses() throws {
        #expect("\(try ServerAddress("https://[fd00::1]:6443"))" == "https://[fd00::1]:6443")
        #expect("\(try ServerAddress("10.0.0.1:6443"))" == "https://10.0.0.1:6443")
        #expect("\(try ServerAddress("https://host/a/"))" == "https://host:443/a")
    }

    @Test(
        "what is missing is named",
        arguments: [
            ("{}", "current-context"), ("current-context: x", "contexts"),
            ("{current-context: x, contexts: [{name: x}]}", "contexts[0].context"),
            ("{current-context: x, contexts: [{name: x, context: {cluster: k}}]}", "clusters"),
            ("{current-context: x, contexts: [{name: x, context: {}}]}", "contexts[0].context.cluster"),
            (
                "{current-context: x, contexts: [{name: x, context: {cluster: k}}], clusters: [{name: k, cluster: {}}]}",
                "clusters[0].cluster.server"
            ),
            ("{kind: Pod}", "kind"), ("[]", ""),
        ])
    func missing(_ text: String, _ field: String) {
        let error = #expect(throws: FieldProblem.self) { try access(text) }
        #expect(error?.field == field)
    }
}

@Suite("In a pod")
struct InClusterTests {
    @Test("the environment and the service account's files are used")
    func access() throws {
        let access = try InCluster.access(
            environment: ["KUBERNETES_SERVICE_HOST": "fd00:96::1", "KUBERNETES_SERVICE_PORT": "443"], folder: "/sa")
        #expect(access.servers.map(\.description) == ["https://[fd00:96::1]:443"])
        #expect(access.authority == .file("/sa/ca.crt") && access.token == .file("/sa/token"))
    }

    @Test("outside of one, the missing variable is named")
    func outside() {
        let error = #expect(throws: FieldProblem.self) { try InCluster.access(environment: [:]) }
        #expect(error?.field == "KUBERNETES_SERVICE_HOST")
    }
}

@Suite("The request budget")
struct RequestBudgetTests {
    @Test("API-6: ten requests at once, then five a second")
    func budget() {
        var budget = RequestBudget()
        let start = ContinuousClock.now
        let waits = (0..<15).map { _ in budget.take(now: start) }
        #expect(waits.prefix(10).allSatisfy { $0 == .zero })
        #expect(Array(waits[10...]) == [200, 400, 600, 800, 1000].map { .milliseconds($0) })
        #expect(budget.take(now: start + .seconds(60)) == .zero, "the bucket is full again")
    }

    @Test("API-6: the rate and the burst are the configuration's; a negative rate is no limit")
    func configured() {
        var budget = RequestBudget(perSecond: 0.5, burst: 2)
        let start = ContinuousClock.now
        #expect((0..<4).map { _ in budget.take(now: start) } == [0, 0, 2, 4].map { .seconds($0) })
        var unlimited = RequestBudget(perSecond: -1, burst: 1)
        #expect((0..<1000).allSatisfy { _ in unlimited.take(now: start) == .zero })
    }
}
