// The credentials that a plugin has given, kept until they end or a server refuses them, and asked for by one task at a time.

import Foundation
import Logging
import ServiceModel
import Subprocess

#if canImport(System)
    import System
#else
    import SystemPackage
#endif

actor PluginCredentials {
    private let plugin: CredentialPlugin
    private let patience: Duration
    private let log: Logger
    private var held: ExecCredential?
    private var isAsking = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// - Parameter patience: how long the plugin may take.
    init(_ plugin: CredentialPlugin, patience: Duration = .seconds(60), log: Logger) {
        self.plugin = plugin
        self.patience = patience
        self.log = log
    }

    /// Runs the plugin when there is nothing good.
    ///
    /// - Parameter cluster: told to a plugin that wants to know.
    func current(for cluster: ClusterInformation) async throws(ClientFailure) -> ExecCredential {
        while isAsking { await withCheckedContinuation { waiting.append($0) } }
        if let held, held.isGood(at: Int64(Date().timeIntervalSince1970)) { return held }
        isAsking = true
        defer {
            isAsking = false
            for continuation in waiting { continuation.resume() }
            waiting = []
        }
        let credential = try await ask(cluster)
        held = credential
        log.debug("a credential plugin has answered", metadata: ["command": "\(plugin.command)"])
        return credential
    }

    /// A server does not take it: the plugin is asked again next time.
    func discard(_ credential: ExecCredential) {
        if held == credential { held = nil }
    }

    private func ask(_ cluster: ClusterInformation) async throws(ClientFailure) -> ExecCredential {
        let output: [UInt8]
        do {
            output = try await run(try Self.information(plugin, cluster))
        } catch is CancellationError {
            throw .cancelled
        } catch let failure as ClientFailure {
            throw failure
        } catch {
            throw failure("cannot be run: \(error)" + (plugin.installHint.map { "; \($0)" } ?? ""))
        }
        do throws(FieldProblem) {
            return try ExecCredential(output, apiVersion: plugin.apiVersion)
        } catch {
            throw failure("answered what is no credential: \(error.field) \(error.message)")
        }
    }

    /// What it writes to standard output. Ended when it takes too long.
    private func run(_ information: String) async throws -> [UInt8] {
        try await withThrowingTaskGroup(of: [UInt8].self) { group in
            group.addTask { try await self.execute(information) }
            group.addTask {
                try await Task.sleep(for: self.patience)
                throw self.failure("has not answered within \(self.patience)")
            }
            defer { group.cancelAll() }
            return try await group.next() ?? []
        }
    }

    private nonisolated func execute(_ information: String) async throws -> [UInt8] {
        var variables: [Environment.Key: String?] = ["KUBERNETES_EXEC_INFO": information]
        for (name, value) in plugin.environment { variables[Environment.Key(stringLiteral: name)] = value.text }
        let result = try await Subprocess.run(
            plugin.command.contains("/") ? .path(FilePath(plugin.command)) : .name(plugin.command),
            arguments: Arguments(plugin.arguments), environment: .inherit.updating(variables),
            output: .bytes(limit: ExecCredential.longestAnswer), error: .string(limit: 64 << 10))
        guard result.terminationStatus.isSuccess else {
            let last = result.standardError.split(whereSeparator: \.isNewline).last ?? "no message"
            throw failure("ended with \(result.terminationStatus): \(FieldValue.quoted(last))")
        }
        return result.standardOutput
    }

    private nonisolated func failure(_ reason: String) -> ClientFailure {
        .access("the credential plugin \(plugin.command) \(reason)")
    }

    /// The ExecCredential that goes in, by the variable KUBERNETES_EXEC_INFO.
    private static func information(_ plugin: CredentialPlugin, _ cluster: ClusterInformation) throws -> String {
        let request = Request(
            apiVersion: plugin.apiVersion,
            spec: Request.Spec(interactive: false, cluster: plugin.wantsCluster ? cluster : nil))
        return String(decoding: try JSONEncoder().encode(request), as: UTF8.self)
    }

    private struct Request: Encodable {
        struct Spec: Encodable {
            var interactive: Bool
            var cluster: ClusterInformation?
        }

        var kind = "ExecCredential"
        var apiVersion: String
        var spec: Spec
    }
}

/// The cluster that credentials are for, as plugins are told of it.
struct ClusterInformation: Encodable, Sendable {
    var server: String
    var tlsServerName: String?
    /// Base64 of PEM.
    var authority: String?

    init(_ access: ClusterAccess, server: ServerAddress) throws(ClientFailure) {
        self.server = "\(server)"
        tlsServerName = access.serverName
        authority = try access.authority.map { (material) throws(ClientFailure) in
            Data(try AccessMaterial.bytes(of: material, "the certificate authority")).base64EncodedString()
        }
    }

    private enum CodingKeys: String, CodingKey {
        case server
        case tlsServerName = "tls-server-name"
        case authority = "certificate-authority-data"
    }
}
