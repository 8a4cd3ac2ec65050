// What an operator sees of packets from the command line, on a node that serves: explain and capture.

import Foundation
import HostCalls
import ProbeProtocol
import Testing
import World

@Suite("Observing paths", .timeLimit(.minutes(5)))
struct ObservationPathTests {
    private struct Answer: Decodable {
        struct Program: Decodable {
            var agrees: Bool
            var hook: String
            var destination: String?
        }

        var outcome: String
        var backends: [String]
        var path: String
        var reason: String
        var program: Program?
    }

    private static func explain(_ destination: String, at site: Site) throws -> (Answer, ProgramResult) {
        let result = try site.martlet(
            ["explain", "--from", "external", "--to", destination, "-o", "json"], at: site.near)
        return (try JSONDecoder().decode(Answer.self, from: Data(result.output.utf8)), result)
    }

    @Test("explain agrees with the programs, and ends with status 1 where they do something else")
    func explain() async throws {
        try await withSite { site in
            var service = PublishedService.everywhere([(site.a1, "near"), (site.b1, "far")])
            try site.publish([service])
            for walk in Walk.every {
                let kind = walk.transport == .tcp ? "TCP" : "UDP"
                for (address, port) in walk.frontends(of: service, at: site.near) {
                    let host = walk.isV6 ? "[\(address)]" : address
                    let (answer, result) = try Self.explain("\(host):\(port)/\(kind)", at: site)
                    #expect(result.status == .exited(0) && result.errorOutput.isEmpty, "\(result)")
                    #expect(answer.outcome == "dnat" && answer.backends.count == 2 && answer.path == "tc")
                    #expect(answer.program?.agrees == true, "\(answer.reason)")
                    #expect(answer.backends.contains(answer.program?.destination ?? ""), "\(answer)")
                }
            }
            // The network loses the way to the endpoint, which the records know nothing of.
            service.endpoints = [(site.b1, "far")]
            try site.publish([service])
            try site.near.namespace.configure(["route del \(site.b1.v4)"])
            let (answer, result) = try Self.explain("203.0.113.5:80/TCP", at: site)
            #expect(answer.outcome == "dnat" && answer.program?.agrees == false, "\(answer)")
            #expect(answer.reason.contains("but the real program (tc_ingress) dropped it"), "\(answer.reason)")
            #expect(result.status == .exited(1), "\(result)")
            #expect(result.errorOutput.contains("the real programs do not do what the records say"))
        }
    }

    @Test("capture shows packets both ways as they came in and as they went out, and ends at its count")
    func capture() async throws {
        try await withSite { site in
            let service = PublishedService.everywhere([(site.b1, "far")])
            try site.publish([service])
            for probe in [site.client, site.b1] { try probe.turnOffChecksumOffload() }
            let file = "\(site.world.folder)/web.pcapng"
            let capture = try site.startMartlet(
                ["capture", "--write", file, "--service", "test/web:tcp", "--count", "20", "--duration", "60s"],
                at: site.near)
            try #require(eventually(within: .seconds(10)) { FileManager.default.fileExists(atPath: file) })
            // The file is there a moment before the programs are told.
            usleep(300_000)
            let answers = try site.client.ask(.tcp, "203.0.113.5", 80, count: 20)
            #expect(answers.total == 20, "\(answers)")
            #expect(capture.wait() == .exited(0), "\(capture.errorOutput)")
            #expect(capture.errorOutput == "martlet: 20 packets captured\n")
            let summary = try site.near.run("/usr/bin/capinfos", ["-c", "-T", "-r", file])
            #expect(summary.status == .exited(0) && summary.output.contains("\t40"), "\(summary)")
            let shown = try site.near.run(
                "/usr/bin/tshark",
                ["-r", file, "-n", "-T", "fields", "-e", "frame.interface_name", "-e", "frame.comment", "-e", "ip.dst"])
            let lines = shown.output.split(separator: "\n")
            #expect(shown.status == .exited(0) && lines.count == 40, "\(shown)")
            let sent = lines.filter {
                $0.hasPrefix("eth0 tc_ingress\tsent_on; sent; service test/web:tcp; backend 10.0.2.11:8080; as it ")
            }
            #expect(sent.contains { $0.hasSuffix("came in\t203.0.113.5") }, "\(lines)")
            #expect(sent.contains { $0.hasSuffix("went out\t10.0.2.11") }, "\(lines)")
            let reply = "eth0 tc_ingress\treplied; sent; service test/web:tcp; as it went out\t192.168.50.9"
            #expect(lines.contains { $0.hasPrefix(reply) }, "\(lines)")
        }
    }
}
