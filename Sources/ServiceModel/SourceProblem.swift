// Something wrong with what a source says: where, what, and what it means for what is in force.

package struct SourceProblem: Hashable, Sendable {
    package enum Consequence: Hashable, Sendable {
        /// A part of a usable object, or a document that says nothing to us, is left out.
        case leftOut
        /// The object, or all objects of the file, are not used; there is no earlier version to fall back to.
        case notUsed
        /// The last good version stays in force.
        case lastGoodKept
    }

    /// Name within the directory of manifests; the directory's path when that itself is meant. Nil when the object came
    /// from an API server.
    package var file: String?
    /// Counted from 1; nil when the file as a whole is meant.
    package var document: Int?
    /// Counted from 1.
    package var line: Int?
    /// The object is empty when the file as a whole is meant.
    package var problem: ObjectProblem
    package var consequence: Consequence

    package init(
        file: String? = nil, document: Int? = nil, line: Int? = nil, problem: ObjectProblem, consequence: Consequence
    ) {
        self.file = file
        self.document = document
        self.line = line
        self.problem = problem
        self.consequence = consequence
    }
}

extension SourceProblem: CustomStringConvertible {
    /// `web.yaml:12: document 2: Service default/web: spec.ports[0].port: 70000 is not a port (1…65535); …`
    package var description: String {
        var text = place.map { "\($0): " } ?? ""
        if let document, !problem.object.hasPrefix("document") { text += "document \(document): " }
        text += problem.object.isEmpty ? problem.message : "\(problem)"
        return text + consequence.words
    }

    /// File and line, as far as there are any.
    package var place: String? {
        guard let file else { return nil }
        return line.map { "\(file):\($0)" } ?? file
    }
}

extension SourceProblem.Consequence {
    /// To be put behind the message.
    package var words: String {
        switch self {
        case .leftOut: ""
        case .notUsed: "; it is not used"
        case .lastGoodKept: "; its last good version stays in force"
        }
    }
}
