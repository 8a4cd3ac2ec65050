// What is said about manifests and configurations that cannot be read, or only with remarks, and how the command ends.

import Foundation
import Testing

@Suite("Input that cannot be used")
struct UnusableInputTests {
    private func plan(_ path: String, _ more: String...) throws -> Run {
        try Run(["plan", "--manifests", path, "--node", "n"] + more)
    }

    @Test("manifests that cannot be opened at all end with 1, a directory and a file alike")
    func unreadable() throws {
        try withFile("kind: Pod\napiVersion: v1\n") { file in
            let folder = (file as NSString).deletingLastPathComponent
            for path in [file, folder] {
                try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
                let run = try plan(path)
                try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
                #expect(run.status == 1 && run.output.isEmpty)
                #expect(run.errors == "Error: \(path): cannot be read: permission denied\n")
            }
        }
        let missing = try plan("/nonexistent")
        #expect(missing.errors == "Error: /nonexistent: cannot be read: there is no such file\n")
        let device = try plan("/dev/zero")
        #expect(device.status == 1 && device.errors == "Error: /dev/zero: is neither a file nor a link to one\n")
    }

    @Test("a problem of a whole file names the file once")
    func namedOnce() throws {
        try withFile("a: [") { file in
            let run = try plan(file)
            #expect(run.errors.hasPrefix("martlet: input.yaml:1: is not YAML: "), "\(run.errors)")
            #expect(run.errors.split(separator: "input.yaml").count == 2, "\(run.errors)")
        }
    }

    struct Configuration: Sendable {
        var text: String
        var reason: String
    }

    @Test(
        "a configuration that is no YAML is refused with line and reason",
        arguments: [
            Configuration(text: "kind: [", reason: "line 1: is not YAML: "),
            Configuration(
                text: "apiVersion: martlet.dev/v1alpha1\nkind: MartletConfiguration\nkind: MartletConfiguration\n",
                reason: #"line 2: "kind" is there twice in one object"#),
        ])
    func configuration(_ example: Configuration) throws {
        try withFile(example.text, named: "cfg.yaml") { file in
            let run = try plan(Self.examples, "--config", file)
            #expect(run.status == 1 && run.errors.contains("cfg.yaml: \(example.reason)"), "\(run.errors)")
        }
    }

    private static let examples = repository("deploy/examples")

    @Test("FLAG-1: unknown and duplicate fields of a KubeProxyConfiguration are warnings, in plan as well")
    func kubeProxyWarnings() throws {
        let text = """
            apiVersion: kubeproxy.config.k8s.io/v1alpha1
            kind: KubeProxyConfiguration
            mode: iptables
            mode: nftables
            moode: ipvs
            clusterCIDR: 10.0.0.0/16
            """
        try withFile(text, named: "cfg.yaml") { file in
            let run = try plan(Self.examples, "--config", file)
            #expect(run.status == 0)
            let warnings = run.errors.split(separator: "\n")
            #expect(
                warnings == [
                    "martlet: configuration: mode: is there more than once; the last one counts",
                    "martlet: configuration: moode: is not a field of KubeProxyConfiguration",
                ])
        }
    }

    @Test("a byte order mark in front of a configuration is no part of it")
    func byteOrderMark() throws {
        try withFile("\u{feff}apiVersion: martlet.dev/v1alpha1\nkind: MartletConfiguration\n") { file in
            let run = try plan(Self.examples, "--config", file)
            #expect(run.status == 0, "\(run.errors)")
        }
    }

    @Test("an octal port is told what to do about it")
    func octal() throws {
        let text =
            "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {clusterIP: 172.30.0.1, ports: [{port: 010}]}"
        try withFile(text) { file in
            let errors = try plan(file).errors
            #expect(errors.contains(#""010" is not a whole number: write it without leading zeros"#), "\(errors)")
        }
    }
}
