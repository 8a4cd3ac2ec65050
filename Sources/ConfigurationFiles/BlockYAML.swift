// A tree of values as YAML in block style, with fields in the order of their names. Strings are quoted as in JSON, which
// YAML reads alike.

package import ServiceModel

package enum BlockYAML {
    package static func text(_ value: FieldValue) -> String {
        switch value {
        case .object, .array: lines(value, indent: 0)
        default: scalar(value) + "\n"
        }
    }

    private static func lines(_ value: FieldValue, indent: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        switch value {
        case .object(let members) where !members.isEmpty:
            return members.sorted { $0.key < $1.key }.map { "\(margin)\($0.key):\(tail($0.value, indent + 2))" }
                .joined()
        case .array(let elements) where !elements.isEmpty:
            return elements.map { "\(margin)-\(tail($0, indent + 2))" }.joined()
        default: return margin + scalar(value) + "\n"
        }
    }

    private static func tail(_ value: FieldValue, _ indent: Int) -> String {
        switch value {
        case .object(let members) where !members.isEmpty: "\n" + lines(value, indent: indent)
        case .array(let elements) where !elements.isEmpty: "\n" + lines(value, indent: indent)
        default: " " + scalar(value) + "\n"
        }
    }

    static func scalar(_ value: FieldValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .integer(let number): "\(number)"
        case .number(let number): "\(number)"
        case .string(let text): quoted(text)
        case .array: "[]"
        case .object: "{}"
        }
    }

    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
