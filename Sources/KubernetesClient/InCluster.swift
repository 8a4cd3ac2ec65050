// The access that a pod has from where it runs: the address in its environment, and the files of its service account.

package import ServiceModel

package enum InCluster {
    package static let conventionalFolder = "/var/run/secrets/kubernetes.io/serviceaccount"

    /// - Throws: which variable is missing: the agent does not run in a pod then.
    package static func access(
        environment: [String: String], folder: String = conventionalFolder
    ) throws(FieldProblem) -> ClusterAccess {
        let host = try variable("KUBERNETES_SERVICE_HOST", in: environment)
        let text = try variable("KUBERNETES_SERVICE_PORT", in: environment)
        guard let port = Int(text), (1...65535).contains(port) else {
            throw FieldProblem("KUBERNETES_SERVICE_PORT", "\(FieldValue.quoted(text)) is not a port (1…65535)")
        }
        var access = ClusterAccess(servers: [ServerAddress(host: host, port: port)])
        access.authority = .file("\(folder)/ca.crt")
        access.token = .file("\(folder)/token")
        return access
    }

    private static func variable(_ name: String, in environment: [String: String]) throws(FieldProblem) -> String {
        guard let value = environment[name], !value.isEmpty else { throw FieldProblem(name, "is not set") }
        return value
    }
}
