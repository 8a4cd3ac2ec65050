// MartletConfiguration as a JSON Schema, for editors and for checking files before they reach a node. What depends on more
// than one field is the decoder's to say.

package import ServiceModel

package enum MartletSchema {
    package static var document: FieldValue {
        guard case .object(var schema) = section(MartletFields.fields) else { return .null }
        schema["$schema"] = .string("https://json-schema.org/draft/2020-12/schema")
        schema["title"] = .string(MartletFields.kind)
        schema["required"] = .array(MartletFields.header.map { .string($0.name) })
        return .object(schema)
    }

    /// As text, with fields in the order of their names.
    package static var text: String { PrettyJSON.text(document) }

    private static func section(_ fields: [MartletFields.Field]) -> FieldValue {
        .object([
            "type": .string("object"), "additionalProperties": .bool(false),
            "properties": .object(Dictionary(uniqueKeysWithValues: fields.map { ($0.name, property($0)) })),
        ])
    }

    /// Null is as good as absent, as for the decoder.
    private static func property(_ field: MartletFields.Field) -> FieldValue {
        guard case .object(var schema) = type(field.type) else { return .null }
        let isRequired = MartletFields.header.contains { $0.name == field.name }
        if !isRequired, let name = schema["type"] { schema["type"] = .array([name, .string("null")]) }
        if !isRequired, case .array(let words)? = schema["enum"] { schema["enum"] = .array(words + [.null]) }
        let when = field.isLive ? " Takes effect while the agent runs." : ""
        schema["description"] = .string(field.meaning + when)
        return .object(schema)
    }

    private static func type(_ type: MartletFields.FieldType) -> FieldValue {
        switch type {
        case .flag: .object(["type": .string("boolean")])
        case .word(let words): .object(["enum": .array(words.map { .string($0) })])
        case .text(nil): .object(["type": .string("string")])
        case .text(let pattern?): .object(["type": .string("string"), "pattern": .string(pattern)])
        case .integer(let range):
            .object([
                "type": .string("integer"), "minimum": .integer(range.lowerBound),
                "maximum": .integer(range.upperBound),
            ])
        case .list(let element): .object(["type": .string("array"), "items": self.type(element)])
        case .section(let fields): section(fields)
        }
    }
}

/// JSON with two spaces of indentation.
private enum PrettyJSON {
    static func text(_ value: FieldValue) -> String { text(value, "") + "\n" }

    private static func text(_ value: FieldValue, _ margin: String) -> String {
        let inner = margin + "  "
        switch value {
        case .object(let members) where !members.isEmpty:
            let lines = members.sorted { $0.key < $1.key }.map { name, value in
                "\(inner)\(BlockYAML.quoted(name)): \(text(value, inner))"
            }
            return "{\n\(lines.joined(separator: ",\n"))\n\(margin)}"
        case .array(let elements):
            return "[\(elements.map { text($0, inner) }.joined(separator: ", "))]"
        case .string(let text): return BlockYAML.quoted(text)
        case .object, .null, .bool, .integer, .number: return BlockYAML.scalar(value)
        }
    }
}
