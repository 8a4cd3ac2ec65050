// What one YAML scalar means: text, a number, a boolean or null, by its tag, its quotes, or the core schema.

import ServiceModel
import Yams

enum PlainScalar {
    static func value(of scalar: Yams.Node.Scalar) throws(TextProblem) -> FieldValue {
        let text = scalar.string
        switch scalar.tag.description {
        case "": return scalar.style == .plain || scalar.style == .any ? resolve(text) : .string(text)
        case "!", "tag:yaml.org,2002:str": return .string(text)
        case "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null":
            let value = resolve(text)
            guard case .string = value else { return value }
            throw TextProblem(line: scalar.mark?.line, "\(FieldValue.quoted(text)) is not what its tag says")
        case let tag:
            throw TextProblem(line: scalar.mark?.line, "the tag \(FieldValue.quoted(tag)) is not known")
        }
    }

    /// YAML 1.2, 10.3.2, without infinities, NaN, and numbers that older readers take for octal.
    static func resolve(_ text: String) -> FieldValue {
        guard let first = text.utf8.first else { return .null }
        switch first {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            return number(text) ?? .string(text)
        case UInt8(ascii: "t"), UInt8(ascii: "T"), UInt8(ascii: "f"), UInt8(ascii: "F"), UInt8(ascii: "n"),
            UInt8(ascii: "N"), UInt8(ascii: "~"):
            return words[text] ?? .string(text)
        default: return .string(text)
        }
    }

    private static let words: [String: FieldValue] = [
        "true": .bool(true), "True": .bool(true), "TRUE": .bool(true),
        "false": .bool(false), "False": .bool(false), "FALSE": .bool(false),
        "null": .null, "Null": .null, "NULL": .null, "~": .null,
    ]

    private static func number(_ text: String) -> FieldValue? {
        var digits = text[...]
        if digits.hasPrefix("0x") { return unsigned(digits.dropFirst(2), radix: 16) }
        if digits.hasPrefix("0o") { return unsigned(digits.dropFirst(2), radix: 8) }
        if digits.first == "-" || digits.first == "+" { digits = digits.dropFirst() }
        let whole = digits.utf8.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        if whole.count == digits.utf8.count {
            guard whole.count == 1 || whole.first != UInt8(ascii: "0") else { return nil }
            return Int64(text).map { .integer($0) } ?? Double(text).map { .number($0) }
        }
        let isNumber = digits.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"),
                UInt8(ascii: "-"), UInt8(ascii: "+"):
                true
            default: false
            }
        }
        guard isNumber, let number = Double(text), number.isFinite else { return nil }
        return .number(number)
    }

    /// Digits only: the standard library would take a sign as well.
    private static func unsigned(_ digits: Substring, radix: Int) -> FieldValue? {
        guard digits.first?.isHexDigit == true else { return nil }
        return Int64(digits, radix: radix).map { .integer($0) }
    }
}
