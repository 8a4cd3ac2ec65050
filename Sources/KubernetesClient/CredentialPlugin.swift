// A program that hands out credentials, as a kubeconfig file names it (`users[].user.exec`, Kubernetes' "client-go
// credential plugins"). It is run only where the operator has allowed it: a file would decide what runs as root otherwise.

package import ServiceModel

package struct CredentialPlugin: Hashable, Sendable {
    /// A path, or a name that is looked for in PATH.
    package var command: String
    package var arguments: [String] = []
    /// On top of the agent's own; values may be secret.
    package var environment: [String: Secret] = [:]
    /// Of the ExecCredential that goes in and comes out.
    package var apiVersion: String
    /// Whether the plugin wants to know which cluster it is for.
    package var wantsCluster = false
    /// What the file's author says to those who lack the program.
    package var installHint: String?

    package static let versions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"]

    /// Reads the member `exec` of a user.
    ///
    /// - Parameter folder: of the kubeconfig file; a command with a slash in it begins there.
    package init(_ fields: FieldValue, folder: String) throws(FieldProblem) {
        guard let command = try fields.string("command"), !command.isEmpty else {
            throw FieldProblem("command", "is missing")
        }
        self.command = command.contains("/") && !command.hasPrefix("/") ? "\(folder)/\(command)" : command
        let version = try fields.string("apiVersion") ?? ""
        guard Self.versions.contains(version) else {
            throw FieldProblem(
                "apiVersion", "\(FieldValue.quoted(version)) is not \(Self.versions.joined(separator: " or "))")
        }
        apiVersion = version
        arguments = try fields.strings("args")
        let variables = try fields.mapArray("env") { (entry) throws(FieldProblem) in
            guard let name = try entry.string("name"), !name.isEmpty else { throw FieldProblem("name", "is missing") }
            guard case .string(let value)? = entry["value"] else {
                throw FieldProblem("value", "is not a string: put it in quotes")
            }
            return (name, Secret(value))
        }
        for (name, value) in variables { environment[name] = value }
        wantsCluster = try fields.bool("provideClusterInfo") ?? false
        installHint = try fields.string("installHint")
        if try fields.string("interactiveMode") == "Always" {
            throw FieldProblem("interactiveMode", "\"Always\" is refused: there is nobody whom the plugin could ask")
        }
    }
}
