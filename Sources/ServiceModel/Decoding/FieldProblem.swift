// What is wrong with one field, before anybody knows which object it belongs to: a path that grows on its way up from
// the leaf, so that nothing is spent on paths while all is well. ObjectProblem is the finished form.

package struct FieldProblem: Hashable, Sendable, Error {
    /// Relative to the value that was being read, such as `ports[0].port`; empty for that value itself.
    package var field: String
    /// A sentence without the field's name, such as `70000 is not a port (1…65535)`.
    package var message: String

    package init(_ field: String, _ message: String) {
        self.field = field
        self.message = message
    }

    /// The same problem seen from the parent, which holds the value under `prefix` (`spec`, or `ports[0]`).
    package func under(_ prefix: String) -> FieldProblem {
        guard !field.isEmpty else { return FieldProblem(prefix, message) }
        return FieldProblem(field.hasPrefix("[") ? prefix + field : "\(prefix).\(field)", message)
    }

    package func of(_ object: String) -> ObjectProblem {
        ObjectProblem(object: object, field: field, message: message)
    }
}

extension FieldValue {
    /// The value in a form fit for messages: strings quoted and escaped, long ones cut, collections by their name.
    package var forMessages: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): Self.quoted(value)
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// `text` in quotes, escaped, and cut after 80 characters.
    package static func quoted(_ text: some StringProtocol) -> String {
        let start = text.unicodeScalars.prefix(80)
        let cut = start.endIndex == text.unicodeScalars.endIndex ? "" : "…"
        return String(reflecting: String(String.UnicodeScalarView(start)) + cut)
    }
}
