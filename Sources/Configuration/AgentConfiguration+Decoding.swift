// From a document (YAML or JSON, as a tree) to a configuration: which of the two kinds it is.

package import ServiceModel

extension AgentConfiguration {
    /// Reads a MartletConfiguration or a KubeProxyConfiguration. Throws everything that is wrong with it at once.
    package static func decode(_ document: FieldValue) throws(ConfigurationError) -> AgentConfiguration {
        var reader = ConfigurationReader(document)
        guard case .object = document else {
            reader.fail("", "\(document.forMessages) is not a configuration")
            throw reader.error
        }
        let kind = reader.read("") { (root) throws(FieldProblem) in try root.string("kind") ?? "" } ?? ""
        let version = reader.read("") { (root) throws(FieldProblem) in try root.string("apiVersion") ?? "" } ?? ""
        guard reader.problems.isEmpty else { throw reader.error }
        var configuration = AgentConfiguration()
        switch (version, kind) {
        case (MartletFields.apiVersion, MartletFields.kind): MartletDecoder.decode(&reader, into: &configuration)
        case (KubeProxyFields.apiVersion, KubeProxyFields.kind): KubeProxyDecoder.decode(&reader, into: &configuration)
        case (_, MartletFields.kind):
            reader.fail("apiVersion", "\(FieldValue.quoted(version)) is not \(MartletFields.apiVersion)")
        case (_, KubeProxyFields.kind):
            reader.fail("apiVersion", "\(FieldValue.quoted(version)) is not \(KubeProxyFields.apiVersion)")
        default:
            reader.fail("kind", "\(FieldValue.quoted(kind)) is neither MartletConfiguration nor KubeProxyConfiguration")
        }
        guard reader.problems.isEmpty else { throw reader.error }
        configuration.notices = reader.notices
        return configuration
    }
}
