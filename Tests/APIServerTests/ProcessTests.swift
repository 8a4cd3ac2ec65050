// The stand-in as a process: TLS, HTTP/2 as curl speaks it, control commands, and a state to begin with.

import APIServer
import APIServerState
import Foundation
import Testing

@Suite("martlet-api-server")
struct ProcessTests {
    private static var program: String {
        let bundle = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        var folder = bundle
        while folder.path != "/",
            !FileManager.default.fileExists(atPath: folder.appending(path: "martlet-api-server").path)
        {
            folder.deleteLastPathComponent()
        }
        return folder.appending(path: "martlet-api-server").path
    }

    @Test("it serves HTTP/2 and HTTP/1.1 over TLS from a given state, and is steered over a socket")
    func process() async throws {
        let folder = try ScratchFolder()
        let state = try folder.write(
            String(decoding: Recording(name: "lists/nodes.json").body, as: UTF8.self), to: "nodes.json")
        let server = try ChildProcess(
            Self.program,
            [
                "--listen", "127.0.0.1:0", "--make-certificates", folder.path, "--control", "\(folder.path)/control",
                "--state", state, "--user", "t=system:kube-proxy:node-proxier",
            ], in: folder)
        try await server.waitForOutput("\n")
        let line = try server.firstLine()
        let url = String(line.dropFirst("serving ".count))
        let curl = { (arguments: [String]) in
            try await ChildProcess.run(
                "/usr/bin/curl", ["-sS", "--max-time", "20", "--cacert", "\(folder.path)/ca.crt"] + arguments,
                in: folder)
        }
        let token = ["-H", "Authorization: Bearer t"]
        let nodes = try await curl(token + ["-w", "%{http_version} %{http_code}", "\(url)/api/v1/nodes"])
        #expect(nodes.output.hasSuffix("2 200"))
        #expect(nodes.output.contains("\"name\":\"node6\""))
        let old = try await curl(token + ["--http1.1", "-w", "%{http_version} %{http_code}", "\(url)/api/v1/nodes"])
        #expect(old.output.hasSuffix("1.1 200"))
        #expect(try await curl(["-w", "%{http_code}", "-o", "/dev/null", "\(url)/api/v1/nodes"]).output == "401")
        let control = { (command: String) in
            try await curl(["--unix-socket", "\(folder.path)/control", "-X", "POST", "http://x/\(command)"]).output
        }
        #expect(try await control("services?count=3&endpoints=5") == "ok\n")
        let slices = try await curl(token + ["\(url)/apis/discovery.k8s.io/v1/endpointslices"])
        #expect(try JSONParser.parse(slices.output)["items"]?.array?.count == 3)
        #expect(try await control("fault?effect=answer&code=500&verb=list&times=1") == "ok\n")
        #expect(
            try await curl(token + ["-w", "%{http_code}", "-o", "/dev/null", "\(url)/api/v1/nodes"]).output == "500")
        #expect(try await control("fault?effect=nonsense").contains("no such effect: nonsense"))
        #expect(try await control("storm?rate=100&seconds=1&services=3") == "100\n")
        _ = await server.terminate()
    }

    @Test("headers over HTTP/2 are the recorded ones")
    func http2Headers() async throws {
        let folder = try ScratchFolder()
        let certificate = try ServerCertificate.make(in: folder.path)
        var settings = ServerSettings()
        settings.security = .tls(certificate)
        try await APIServer.with(settings) { server async throws in
            let answer = try await ChildProcess.run(
                "/usr/bin/curl",
                ["-sS", "-D", "-", "-o", "/dev/null", "--cacert", certificate.authority]
                    + ["\(server.url)/apis/networking.k8s.io/v1/servicecidrs"], in: folder)
            let lines = answer.output.split(whereSeparator: \.isNewline)
            #expect(lines.first == "HTTP/2 200 ")
            let names = lines.dropFirst().compactMap { $0.split(separator: ":").first.map(String.init) }
            #expect(Set(names) == Set(try Recording(name: "http2/list-servicecidrs.json").headers.keys))
        }
    }

    @Test("a list of many megabytes arrives whole, over HTTP/2 and HTTP/1.1", arguments: ["--http2", "--http1.1"])
    func bigList(version: String) async throws {
        let folder = try ScratchFolder()
        let certificate = try ServerCertificate.make(in: folder.path)
        var settings = ServerSettings()
        settings.security = .tls(certificate)
        try await APIServer.with(settings) { server async throws in
            for number in 0..<24 {
                let note = JSON.string(String(repeating: "x", count: 1 << 20))
                let metadata: JSON = ["name": .string("node\(number)"), "annotations": ["note": note]]
                try await server.store.create(.nodes, ["metadata": metadata])
            }
            let result = try await ChildProcess.run(
                "/usr/bin/curl",
                ["-sS", version, "-H", "Connection: close", "--limit-rate", "40M", "--cacert", certificate.authority]
                    + ["-o", "/dev/null", "-w", "%{size_download}", "\(server.url)/api/v1/nodes"], in: folder)
            #expect(result.errors == "")
            #expect(result.status == 0)
            #expect(Int(result.output) ?? 0 > 24 << 20)
        }
    }

    @Test("a client that does not know the authority refuses the server, and TLS serves HTTP/1.1 as plain sockets do")
    func authority() async throws {
        let folder = try ScratchFolder()
        let certificate = try ServerCertificate.make(in: folder.path)
        var settings = ServerSettings()
        settings.security = .tls(certificate)
        try await APIServer.with(settings) { server async throws in
            let answer = try await RawClient.send(
                RawClient.request("GET", "/livez"), port: server.port, authority: certificate.authority)
            #expect(answer.text == "ok")
            let stranger = try await ChildProcess.run("/usr/bin/curl", ["-sS", "\(server.url)/livez"], in: folder)
            #expect(stranger.status == 60)
        }
    }

    @Test("a client certificate is not needed, is accepted when the authority made it, and refused when another did")
    func clientCertificates() async throws {
        let folder = try ScratchFolder()
        let certificate = try ServerCertificate.make(in: folder.path)
        try certificate.makeClient(name: "martlet", path: "\(folder.path)/client")
        let other = try ScratchFolder()
        try ServerCertificate.make(in: other.path).makeClient(name: "martlet", path: "\(other.path)/client")
        var settings = ServerSettings()
        settings.security = .tls(certificate)
        try await APIServer.with(settings) { server async throws in
            for (path, isAccepted) in [(folder.path, true), (other.path, false)] {
                let result = try await ChildProcess.run(
                    "/usr/bin/curl",
                    ["-sS", "--cacert", certificate.authority, "--cert", "\(path)/client.crt"]
                        + ["--key", "\(path)/client.key", "\(server.url)/livez"], in: folder)
                #expect((result.output == "ok") == isAccepted)
            }
        }
    }
}
