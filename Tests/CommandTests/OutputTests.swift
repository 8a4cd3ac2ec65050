// What reaches the two streams: everything or an error, and nothing that a terminal or a log could take for something else.

import Foundation
import Testing

@Suite("Output")
struct OutputTests {
    private static let examples = repository("deploy/examples")

    private static let commands: [[String]] = [
        ["plan", "--manifests", examples, "--node", "n", "-o", "json"],
        ["plan", "--manifests", examples, "--node", "n"],
        ["explain", "--manifests", examples, "--node", "n", "--from", "pod", "--to", "172.30.0.10:80/TCP"],
        ["status", "--pin-folder", "/sys/fs/bpf/martlet-nothing", "-o", "json"],
        ["cleanup", "--pin-folder", "/sys/fs/bpf/martlet-nothing"], ["--help"], ["plan", "--help"], ["--version"],
        ["--generate-completion-script", "bash"],
    ]

    @Test("a result that cannot be written is a failure with a message", arguments: commands)
    func fullDevice(_ arguments: [String]) throws {
        let run = try Run(arguments, output: "/dev/full")
        #expect(run.status == 1)
        #expect(run.errors.contains("cannot write standard output: No space left on device"), "\(run.errors)")
    }

    @Test("control characters of names are written out, in every form of output")
    func controlCharacters() throws {
        let text = #"""
            apiVersion: v1
            kind: Service
            metadata: {name: "a\e[2J\nmartlet: forged\u009b"}
            spec: {clusterIP: 172.30.0.1, ports: [{port: 80}]}
            """#
        try withFile(text, named: "odd\u{1b}\n.yaml") { file in
            for arguments in [
                ["plan"], ["plan", "-o", "json"], ["explain", "--from", "pod", "--to", "1.2.3.4:80/TCP"],
            ] {
                let run = try Run(arguments + ["--manifests", file, "--node", "n"])
                let all = run.output + run.errors
                #expect(run.status == 0)
                // JSON has a shorter name for the line feed.
                let feed = arguments.contains("json") ? #"\n"# : #"\u000a"#
                #expect(all.contains(#"a\u001b[2J\#(feed)martlet: forged\u009b"#), "\(all)")
                #expect(all.contains(#"odd\u001b\#(feed).yaml"#), "\(all)")
                #expect(!all.unicodeScalars.contains { $0 != "\n" && ($0.value < 32 || 127...159 ~= $0.value) })
                #expect(!all.split(separator: "\n").contains { $0.hasPrefix("martlet: forged") })
                if arguments.contains("json") { #expect(try run.object["problems"] != nil) }
            }
        }
    }
}
