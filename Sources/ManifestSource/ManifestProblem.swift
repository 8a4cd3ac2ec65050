// Something wrong with the manifests: where, what, and what it means for what is in force.

package import ServiceModel

package struct ManifestProblem: Hashable, Sendable {
    package enum Consequence: Hashable, Sendable {
        /// A part of a usable object, or a document that says nothing to us, is left out.
        case leftOut
        /// The object, or all objects of the file, are not used; there is no earlier version to fall back to.
        case notUsed
        /// The last good version stays in force.
        case lastGoodKept
    }

    /// Name within the directory; the directory's path when that itself is meant.
    package var file: String
    /// Counted from 1; nil when the file as a whole is meant.
    package var document: Int?
    /// Counted from 1.
    package var line: Int?
    /// The object is empty when the file as a whole is meant.
    package var problem: ObjectProblem
    package var consequence: Consequence

    package init(
        file: String, document: Int? = nil, line: Int? = nil, problem: ObjectProblem, consequence: Consequence
    ) {
        self.file = file
        self.document = document
        self.line = line
        self.problem = problem
        self.consequence = consequence
    }
}

extension ManifestProblem: CustomStringConvertible {
    /// `web.yaml:12: document 2: Service default/web: spec.ports[0].port: 70000 is not a port (1…65535); …`
    package var description: String {
        var text = line.map { "\(file):\($0): " } ?? "\(file): "
        if let document, !problem.object.hasPrefix("document") { text += "document \(document): " }
        text += problem.object.isEmpty ? problem.message : "\(problem)"
        switch consequence {
        case .leftOut: return text
        case .notUsed: return text + "; it is not used"
        case .lastGoodKept: return text + "; its last good version stays in force"
        }
    }
}
