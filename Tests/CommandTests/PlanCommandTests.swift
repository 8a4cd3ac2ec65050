// `martlet plan` and `martlet explain --manifests` as scripts see them: the keys and forms of the JSON, what is said about
// input that is wrong, and that neither needs a privilege.

import Foundation
import Testing

@Suite("The commands that answer from manifests")
struct PlanCommandTests {
    private static let examples = repository("deploy/examples")

    @Test("plan prints exactly the fields of the contract")
    func planFields() throws {
        let run = try Run("plan", "--manifests", Self.examples, "--node", "worker-1", "-o", "json")
        #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
        let plan = try run.object
        #expect(Set(plan.keys) == ["node", "servicePorts", "problems"])
        #expect(plan["node"] as? String == "worker-1")
        let ports = try #require(plan["servicePorts"] as? [[String: Any]])
        #expect(
            ports.map { "\($0["namespace"]!)/\($0["service"]!):\($0["portName"]!)" } == [
                "kube-system/dns:dns", "kube-system/dns:dns-tcp", "shop/web:http",
            ])
        for port in ports {
            #expect(
                Set(port.keys) == [
                    "namespace", "service", "portName", "protocol", "port", "targetSets", "usesCluster", "usesLocal",
                    "healthCheckNodePort", "sessionAffinitySeconds", "frontends",
                ])
            #expect(Set(try #require(port["targetSets"] as? [String: Any]).keys) == ["cluster", "local"])
            for frontend in try #require(port["frontends"] as? [[String: Any]]) {
                #expect(
                    Set(frontend.keys) == ["kind", "address", "port", "externalTo", "internalTo", "sourceRanges"])
            }
        }
        let web = ports[2]
        let targets = try #require(web["targetSets"] as? [String: [String]])
        #expect(
            targets["cluster"] == [
                "10.0.1.11:8080", "10.0.1.12:8080", "10.0.1.13:8080", "[fd00:1::11]:8080", "[fd00:1::12]:8080",
                "[fd00:1::13]:8080",
            ])
        let frontends = try #require(web["frontends"] as? [[String: Any]])
        #expect(
            Set(frontends.compactMap { $0["kind"] as? String }) == [
                "ClusterIP", "NodePort", "ExternalIP", "LoadBalancer",
            ])
        #expect(web["healthCheckNodePort"] is NSNull && web["sessionAffinitySeconds"] is NSNull)
    }

    @Test(
        "explain prints exactly the fields of the contract",
        arguments: ["pod", "node", "localhost", "external:198.51.100.7"])
    func explainFields(_ source: String) throws {
        let run = try Run(
            "explain", "--from", source, "--to", "172.30.0.10:80/TCP", "--manifests", Self.examples, "--node",
            "worker-1", "-o", "json")
        #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
        let answer = try run.object
        #expect(
            Set(answer.keys) == [
                "outcome", "service", "frontend", "backends", "masquerade", "masqueradedBackends", "rules", "path",
                "reason",
            ])
        #expect(answer["outcome"] as? String == "dnat")
        #expect(answer["service"] as? String == "shop/web:http")
        #expect(answer["backends"] as? [String] == ["10.0.1.11:8080", "10.0.1.12:8080", "10.0.1.13:8080"])
    }

    @Test("what is wrong is named with file, line, document, object and field, and costs nothing else")
    func problems() throws {
        let good = """
            apiVersion: v1
            kind: Service
            metadata: {namespace: shop, name: good}
            spec: {clusterIP: 172.30.0.1, ports: [{port: 80}]}
            """
        let bad = """
            apiVersion: v1
            kind: Service
            metadata: {namespace: shop, name: bad}
            spec:
              clusterIP: 172.30.0.300
              ports: [{port: 80}]
            """
        try withFile("\(good)\n---\n\(bad)\n") { file in
            let run = try Run("plan", "--manifests", file, "--node", "worker-1")
            #expect(run.status == 0)
            #expect(run.output.contains("shop/good"))
            for word in ["input.yaml:10, document 2", "Service shop/bad", "spec.clusterIP", "172.30.0.300"] {
                #expect(run.errors.contains(word), "\(run.errors)")
            }
        }
        try withFile("a: 1\n- b\n") { file in
            let run = try Run("plan", "--manifests", file, "--node", "n")
            #expect(run.errors.contains("input.yaml:2"), "\(run.errors)")
        }
    }
}

@Suite("Exit status and help")
struct ExitStatusTests {
    @Test(
        "2 for usage, 1 for what failed, each with a message",
        arguments: [
            (["plan"], 2, "--manifests"),
            (["plan", "--manifests", "/nonexistent", "--node", "n", "-o", "yaml"], 2, "'yaml'"),
            (["explain", "--from", "moon", "--to", "1.2.3.4:80/TCP"], 2, "'moon'"),
            (["explain", "--from", "pod", "--to", "1.2.3.4"], 2, "'1.2.3.4'"),
            (["nothing"], 2, "nothing"), (["help", "nosuch"], 2, "'nosuch' is not a command"),
            (["plan", "--manifests", "", "--node", "n"], 2, "--manifests is empty"),
            (["plan", "--manifests", repository("deploy/examples"), "--node", ""], 2, "--node is blank"),
            (["explain", "--from", "pod", "--to", "1.2.3.4:80/TCP", "--manifests", ""], 2, "--manifests is empty"),
            (["agent", "--manifests", ""], 2, "--manifests is empty"),
            (["agent", "--manifests", "/m", "--grace-period", "soon"], 2, "'soon'"),
            (["agent", "--manifests", "/m", "--kubeconfig", "/k"], 2, "exclude each other"),
            (["agent", "--kubeconfig", ""], 2, "--kubeconfig is empty"),
            (["agent", "--manifests", "/m", "--allow-credential-plugins"], 2, "exclude each other"),
            (["agent", "--allow-credential-plugins"], 2, "needs a kubeconfig file"),
            (["agent", "--manifests", "/m", "--kube-api-content-type", "application/json"], 2, "exclude each other"),
            (["agent", "--master", ","], 2, "--master: is not a URL"),
            (["agent", "--master", "https://10.0.0.1:6443,"], 2, "--master: is not a URL"),
            (["agent", "--kubeconfig", "/none"], 1, "/none: cannot be read"),
            (["agent", "--kube-api-content-type", "application/cbor"], 2, "'application/cbor' is neither"),
            (["agent"], 2, "KUBERNETES_SERVICE_HOST is not set"),
            (["agent", "--manifests", "/m", "--grace-period", "0s"], 2, "'0s' is less than 1s"),
            (["plan", "--manifests", "/nonexistent", "--node", "n"], 1, "/nonexistent"),
            (["plan", "--manifests", repository("deploy/examples"), "--config", "/none.yaml"], 1, "/none.yaml"),
            (["services", "--pin-folder", "/sys/fs/bpf/martlet-nothing"], 1, "no datapath is pinned"),
        ])
    func status(_ arguments: [String], _ status: Int32, _ part: String) throws {
        let run = try Run(arguments)
        #expect(run.status == status && run.errors.contains(part) && run.output.isEmpty, "\(run)")
    }

    @Test(
        "every command explains itself",
        arguments: [
            "agent", "plan", "services", "backends", "frontends", "status", "explain", "monitor", "doctor", "cleanup",
        ])
    func help(_ command: String) throws {
        let run = try Run(command, "--help")
        #expect(run.status == 0 && run.output.contains("OVERVIEW:") && run.output.contains("USAGE: martlet \(command)"))
        #expect(try Run("--help").output.contains("  \(command) "))
        #expect(try Run("help", command).output == run.output)
    }

    @Test("shells learn to complete it", arguments: ["bash", "zsh", "fish"])
    func completion(_ shell: String) throws {
        let run = try Run("--generate-completion-script", shell)
        #expect(run.status == 0 && run.output.contains("explain") && run.output.contains("pin-folder"))
    }
}
