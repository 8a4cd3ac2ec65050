// From a document (YAML or JSON, as a tree) to a configuration: which of the two kinds it is.

package import ServiceModel

extension AgentConfiguration {
    /// Whether duplicate fields of the document are no mistake (FLAG-1).
    package static func bearsDuplicates(_ document: FieldValue) -> Bool {
        document["kind"] == .string(KubeProxyFields.kind)
    }

    /// Reads a MartletConfiguration or a KubeProxyConfiguration. Throws everything that is wrong with it at once.
    /// `duplicates` are the paths of fields that are there more than once, of which the document has the last.
    /// `isOfFlags`: kube-proxy's flags made it, where zero is a value and not the default.
    package static func decode(
        _ document: FieldValue, duplicates: [String] = [], isOfFlags: Bool = false
    ) throws(ConfigurationError) -> AgentConfiguration {
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
        case (MartletFields.apiVersion, MartletFields.kind):
            configuration.kind = .martlet
            MartletDecoder.decode(&reader, into: &configuration)
        case (KubeProxyFields.apiVersion, KubeProxyFields.kind):
            configuration.kind = .kubeProxy
            KubeProxyDecoder.decode(&reader, into: &configuration, zeroIsDefault: !isOfFlags)
        case (_, MartletFields.kind):
            reader.fail("apiVersion", "\(FieldValue.quoted(version)) is not \(MartletFields.apiVersion)")
        case (_, KubeProxyFields.kind):
            reader.fail("apiVersion", "\(FieldValue.quoted(version)) is not \(KubeProxyFields.apiVersion)")
        default:
            reader.fail("kind", "\(FieldValue.quoted(kind)) is neither MartletConfiguration nor KubeProxyConfiguration")
        }
        guard reader.problems.isEmpty else { throw reader.error }
        let overridden = duplicates.map {
            ConfigurationNotice(.duplicateField, $0, "is there more than once; the last one counts")
        }
        configuration.notices = overridden + reader.notices
        return configuration
    }
}
