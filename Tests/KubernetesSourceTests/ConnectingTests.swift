// Getting through to a server: trust, tokens that rotate, other names, other servers.

import APIServer
import APIServerState
import Foundation
import KubernetesClient
import KubernetesSource
import ServiceModel
import Testing

@Suite("Connecting to an API server", .serialized)
struct ConnectingTests {
    @Test("a server whose certificate another authority signed is refused, and said so")
    func otherAuthority() async throws {
        try await withServer { server, _, folder in
            let other = folder + "/other"
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
            let follower = Follower(server.access(try ServerCertificate.make(in: other)))
            try await follower.run {
                #expect(await follower.waits { $0.source.states[.service]?.failure != nil })
                let failure = follower.source.states[.service]?.failure ?? ""
                #expect(failure.contains("not signed by the certificate authority"), "\(failure)")
                #expect(server.journal.entries.isEmpty, "no token was sent")
            }
        }
    }

    @Test("tls-server-name is the name that is verified, wherever the server is")
    func otherName() async throws {
        try await withServer { server, _, folder in
            let other = folder + "/named"
            try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
            let named = try ServerCertificate.make(in: other, names: ["kubernetes.test"], addresses: ["192.0.2.1"])
            var settings = ServerSettings()
            settings.security = .tls(named)
            try await APIServer.with(settings) { second in
                var access = second.access(named)
                let refused = Follower(access)
                access.serverName = "kubernetes.test"
                let follower = Follower(access)
                try await follower.run { #expect(await follower.converges(with: second)) }
                try await refused.run {
                    #expect(await refused.waits { $0.source.states[.service]?.failure != nil })
                    #expect(!refused.state.isSynced)
                }
            }
        }
    }

    @Test("a token file is read again when it has changed")
    func rotatingToken() async throws {
        try await withServer { server, certificate, folder in
            let path = folder + "/token"
            try "expired\n".write(toFile: path, atomically: true, encoding: .utf8)
            let follower = Follower(server.access(certificate, token: .file(path)))
            try await follower.run {
                #expect(await follower.waits { $0.source.states[.service]?.failure?.contains("401") == true })
                try "t\n".write(toFile: path, atomically: true, encoding: .utf8)
                #expect(await follower.converges(with: server))
            }
        }
    }

    @Test("an authority's file is read again when it has changed")
    func rotatingAuthority() async throws {
        try await withServer { server, certificate, folder in
            var access = server.access(certificate)
            let path = folder + "/bundle.crt"
            access.authority = .file(path)
            let follower = Follower(access)
            try await follower.run {
                let missing = "the certificate authority in \(path) cannot be read"
                #expect(await follower.waits { $0.source.states[.service]?.failure?.contains(missing) == true })
                try FileManager.default.copyItem(atPath: certificate.authority, toPath: path)
                #expect(await follower.converges(with: server))
            }
        }
    }

    @Test("another server is asked when one cannot be reached")
    func failover() async throws {
        try await withServer { server, certificate, _ in
            var access = server.access(certificate)
            let live = access.servers[0]
            access.servers = [ServerAddress(host: "127.0.0.1", port: 9), live]
            let follower = Follower(access)
            try await follower.run {
                #expect(await follower.converges(with: server))
                #expect(follower.client.server == live)
            }
        }
    }

    @Test("what was asked is counted by status, and a refusal is told in the server's words")
    func refused() async throws {
        try await withServer(adjust: { $0.users["t"] = User(name: "nobody", role: .nobody) }) {
            server, certificate, _ in
            let follower = Follower(server.access(certificate))
            try await follower.run {
                #expect(await follower.waits { $0.source.states[.service]?.failure?.contains("403") == true })
                #expect(follower.source.states[.service]?.failure?.contains("cannot") == true)
                let statistics = follower.client.statistics
                let host = "127.0.0.1:\(server.port)"
                #expect(
                    statistics.counts.contains {
                        $0.key.verb == .watch && $0.key.code == 403 && $0.key.host == host && $0.value >= 1
                    })
                #expect(statistics.durations.allSatisfy { $0.key.method == "GET" && $0.key.host == host })
            }
        }
    }
}
