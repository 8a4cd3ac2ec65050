// As much of JSON Schema as the published one uses: whether a value is as it says.

import ServiceModel

struct SchemaCheck {
    /// Where and what; empty when the value is as the schema says.
    static func problems(_ value: FieldValue, _ schema: FieldValue, at path: String = "") throws -> [String] {
        var problems: [String] = []
        if let type = schema["type"] {
            let allowed = type.elements ?? [type]
            if !allowed.contains(where: { $0 == .string(value.typeName) }) { return ["\(path): is \(value.typeName)"] }
        }
        if let words = schema["enum"]?.elements, !words.contains(value) { problems.append("\(path): no such word") }
        if case .string(let pattern)? = schema["pattern"], case .string(let text) = value,
            try Regex(pattern).firstMatch(in: text) == nil
        {
            problems.append("\(path): does not match")
        }
        if case .integer(let number) = value {
            if case .integer(let least)? = schema["minimum"], number < least { problems.append("\(path): too small") }
            if case .integer(let most)? = schema["maximum"], number > most { problems.append("\(path): too large") }
        }
        if let items = schema["items"], let elements = value.elements {
            for (index, element) in elements.enumerated() {
                problems += try Self.problems(element, items, at: "\(path)[\(index)]")
            }
        }
        if case .object(let members) = value, case .object(let properties)? = schema["properties"] {
            for (name, member) in members {
                if let property = properties[name] {
                    problems += try Self.problems(member, property, at: "\(path).\(name)")
                } else if schema["additionalProperties"] == .bool(false) {
                    problems.append("\(path).\(name): unknown")
                }
            }
            for name in schema["required"]?.elements ?? [] {
                if case .string(let name) = name, members[name] == nil { problems.append("\(path).\(name): missing") }
            }
        }
        return problems
    }
}

extension FieldValue {
    var elements: [FieldValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    fileprivate var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
