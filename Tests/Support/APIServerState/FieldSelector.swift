// Field selectors: `metadata.name=a,spec.clusterIP!=None`, for the fields that the API server knows for each resource.

package struct FieldSelector: Sendable, Equatable {
    package struct Term: Sendable, Equatable {
        package var path: String
        package var value: String
        package var isEqual: Bool

        package init(path: String, value: String, isEqual: Bool) {
            self.path = path
            self.value = value
            self.isEqual = isEqual
        }
    }

    package var terms: [Term] = []

    package init() {}

    package init(_ text: String, for endpoint: Endpoint) throws(APIStatus) {
        for part in text.split(separator: ",") {
            guard let (path, isEqual, value) = Self.split(part) else {
                throw .badRequest("invalid selector: '\(text)'; can't understand '\(part)'")
            }
            guard Self.paths(endpoint).contains(path) else { throw .badRequest("field label not supported: \(path)") }
            terms.append(Term(path: path, value: value, isEqual: isEqual))
        }
    }

    package func matches(_ object: JSON) -> Bool {
        terms.allSatisfy { term in
            let value = term.path.split(separator: ".").reduce(Optional(object)) { $0?[String($1)] }
            let text =
                value?.string ?? value?.bool.map(String.init) ?? (term.path == "spec.unschedulable" ? "false" : "")
            return (text == term.value) == term.isEqual
        }
    }

    /// The name that the selector asks for, when it asks for one.
    package var name: String? {
        terms.first { $0.path == "metadata.name" && $0.isEqual }?.value
    }

    private static func split(_ text: Substring) -> (String, Bool, String)? {
        guard let sign = text.firstIndex(of: "="), sign > text.startIndex else { return nil }
        let before = text[..<sign]
        let after = text[text.index(after: sign)...]
        if before.last == "!" { return (String(before.dropLast()), false, String(after)) }
        return (String(before), true, String(after.first == "=" ? after.dropFirst() : after))
    }

    private static func paths(_ endpoint: Endpoint) -> [String] {
        let own =
            switch endpoint.resource {
            case .services: ["spec.clusterIP", "spec.type"]
            case .nodes: ["spec.unschedulable"]
            case .namespaces: ["status.phase"]
            case .endpointSlices, .serviceCIDRs: [String]()
            case .events:
                ["name", "namespace", "kind", "uid"].map {
                    "\(endpoint.group.isEmpty ? "involvedObject" : "regarding").\($0)"
                }
                    + ["reason", "type", endpoint.group.isEmpty ? "reportingComponent" : "reportingController"]
            }
        return ["metadata.name"] + (endpoint.resource.isNamespaced ? ["metadata.namespace"] : []) + own
    }
}
