// Where the agent's facts come from: manifests, or the API server of a kubeconfig file or of the pod that it runs in.

import Agent
import ArgumentParser
import ConfigurationFiles
import Foundation
import KubernetesClient
import ManifestSource
import ServiceModel
import SystemCalls

struct SourceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A directory or file of Kubernetes manifests, YAML or JSON, instead of an API server.",
            discussion: ManifestOptions.discussion, valueName: "path"))
    var manifests: String?

    @Option(
        help: ArgumentHelp(
            "Follow the API server that this file names. Default: that of the configuration file, else that of the pod.",
            valueName: "file"))
    var kubeconfig: String?

    @Option(help: ArgumentHelp("The context of the kubeconfig file. Default: its current one.", valueName: "name"))
    var context: String?

    @Flag(
        help: ArgumentHelp(
            "Run the program that the kubeconfig file names for credentials (users[].user.exec).",
            discussion: "It runs with all that the agent may do. Default: such a file is refused."))
    var allowCredentialPlugins = false

    @Option(
        help: ArgumentHelp(
            "Addresses of API servers, separated by commas, instead of the kubeconfig file's or the pod's.",
            discussion: "The next one is asked when one cannot be reached.",
            valueName: "URLs"))
    var master: String?

    @Option(
        help: ArgumentHelp(
            "application/vnd.kubernetes.protobuf, with JSON where the API server has none, or application/json. Default: the first.",
            valueName: "type"),
        transform: { text in
            guard let type = ContentType(rawValue: text) else {
                throw ValidationError("'\(text)' is neither application/vnd.kubernetes.protobuf nor application/json.")
            }
            return type
        })
    var kubeAPIContentType: ContentType?

    enum ContentType: String {
        case protobuf = "application/vnd.kubernetes.protobuf"
        case json = "application/json"
    }

    func validate() throws {
        if let manifests { try ManifestOptions.check(manifests) }
        guard manifests == nil || !allowCredentialPlugins else {
            throw ValidationError("--manifests and --allow-credential-plugins exclude each other.")
        }
        if manifests != nil, kubeAPIContentType != nil {
            throw ValidationError("--manifests and --kube-api-content-type exclude each other: no API server is asked.")
        }
        for (name, value) in [("kubeconfig", kubeconfig), ("context", context), ("master", master)] {
            guard let value else { continue }
            guard !value.isEmpty else { throw ValidationError("--\(name) is empty.") }
            guard manifests == nil else {
                throw ValidationError("--manifests and --\(name) exclude each other: facts come from one source.")
            }
        }
        _ = try servers()
    }

    func settings(_ configuration: AgentConfiguration) throws -> FactSourceSettings {
        if let manifests { return .manifests(path: manifests) }
        var access = try access(configuration)
        if let servers = try servers() { access.servers = servers }
        return .kubernetes(access, wantsJSON: kubeAPIContentType.map { $0 == .json } ?? configuration.wantsJSON)
    }

    /// Those of --master.
    private func servers() throws -> [ServerAddress]? {
        do throws(FieldProblem) {
            return try master?.split(separator: ",", omittingEmptySubsequences: false).map {
                (text) throws(FieldProblem) in
                try ServerAddress(String(text))
            }
        } catch {
            throw ValidationError("--master: \(error.message).")
        }
    }

    private func access(_ configuration: AgentConfiguration) throws -> ClusterAccess {
        if let file = kubeconfig ?? configuration.kubeconfig {
            return try KubeconfigFile(path: file).access(context: context, allowsPlugins: allowCredentialPlugins)
        }
        guard !allowCredentialPlugins else {
            throw ValidationError("--allow-credential-plugins needs a kubeconfig file.")
        }
        guard context == nil else { throw ValidationError("--context needs --kubeconfig.") }
        do throws(FieldProblem) {
            return try InCluster.access(environment: ProcessInfo.processInfo.environment)
        } catch {
            throw ValidationError(
                "Give --manifests or --kubeconfig; the agent does not run in a pod: \(error.field) \(error.message).")
        }
    }
}

/// A kubeconfig file on disk.
struct KubeconfigFile {
    var path: String

    /// - Throws: `ConfigurationUnusable` with what is wrong.
    func access(context: String?, allowsPlugins: Bool) throws -> ClusterAccess {
        try ConfigurationUnusable.naming(path) {
            let document = try OneDocument.parse(try WholeFile.bytes(of: path), file: path)
            let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
            return try Kubeconfig.access(
                from: document, context: context, folder: folder, allowsPlugins: allowsPlugins)
        }
    }
}
