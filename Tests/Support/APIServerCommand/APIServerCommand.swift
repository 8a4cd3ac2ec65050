// martlet-api-server: the API server stand-in as a process, for tests in network namespaces and for trying things out
// with kubectl. Not shipped.

import APIServer
import APIServerState
import ArgumentParser
import Foundation

@main
struct APIServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "martlet-api-server", abstract: "A stand-in for a Kubernetes API server, for tests.")

    @Option(help: "Where to listen: ADDRESS:PORT, IPv6 addresses in brackets.")
    var listen = "127.0.0.1:6443"

    @Option(help: "The server's certificate, PEM.")
    var tlsCert: String?

    @Option(help: "Its key, PEM.")
    var tlsKey: String?

    @Option(help: "The authority that clients verify with, PEM.")
    var tlsCA: String?

    @Option(help: "A folder to make certificates in, for the listening address and localhost: ca.crt, server.crt ...")
    var makeCertificates: String?

    @Option(help: "A host name that made certificates are valid for, besides localhost. May be repeated.")
    var name: [String] = []

    @Flag(help: "Offer HTTP/1.1 alone over TLS.")
    var noHTTP2 = false

    @Option(help: "Where to serve control commands: a path of a Unix socket.")
    var control: String?

    @Option(help: "TOKEN=NAME:ROLE, with the roles administrator, node-proxier and nobody. May be repeated.")
    var user: [String] = []

    @Option(help: "A JSON list of objects of one kind to begin with, as of kubectl get -A -o json. May be repeated.")
    var state: [String] = []

    func run() async throws {
        let lists = try state.map { path in try JSONParser.parse(Array(try Data(contentsOf: URL(filePath: path)))) }
        var settings = ServerSettings()
        let (host, port) = try address()
        settings.address = .tcp(host: host, port: port)
        settings.security = try security(host)
        settings.control = control.map { .unix(path: $0) }
        for text in user {
            let (token, user) = try Self.user(text)
            settings.users[token] = user
        }
        try await APIServer.with(settings) { server in
            for list in lists { try await server.store.restore(list: list) }
            // Whoever started the process waits for this line.
            FileHandle.standardOutput.write(Data("serving \(server.url)\n".utf8))
            try await Task.sleep(for: .seconds(1 << 30))
        }
    }

    private func address() throws -> (String, Int) {
        guard let colon = listen.lastIndex(of: ":"), let port = Int(listen[listen.index(after: colon)...]) else {
            throw ValidationError("--listen must be ADDRESS:PORT, and is \(listen)")
        }
        return (String(listen[..<colon].filter { $0 != "[" && $0 != "]" }), port)
    }

    private func security(_ host: String) throws -> ServerSettings.Security {
        if let folder = makeCertificates {
            let addresses = Set(["127.0.0.1", "::1", host]).sorted()
            return .tls(
                try ServerCertificate.make(in: folder, names: ["localhost"] + name, addresses: addresses),
                http2: !noHTTP2)
        }
        switch (tlsCert, tlsKey, tlsCA) {
        case (let certificate?, let key?, let authority?):
            return .tls(
                ServerCertificate(certificate: certificate, key: key, authority: authority), http2: !noHTTP2)
        case (nil, nil, nil): return .none
        case (_, _, _): throw ValidationError("--tls-cert, --tls-key and --tls-ca belong together")
        }
    }

    private static func user(_ text: String) throws -> (String, User) {
        let sides = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard sides.count == 2, let colon = sides[1].lastIndex(of: ":") else {
            throw ValidationError("--user must be TOKEN=NAME:ROLE")
        }
        let role: User.Role? =
            switch sides[1][sides[1].index(after: colon)...] {
            case "administrator": .administrator
            case "node-proxier": .nodeProxier
            case "nobody": .nobody
            case _: nil
            }
        guard let role else { throw ValidationError("--user: the role must be administrator, node-proxier or nobody") }
        return (sides[0], User(name: String(sides[1][..<colon]), role: role))
    }
}
