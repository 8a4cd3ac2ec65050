// JSON (RFC 8259) as a tree, strictly: duplicate members, lone surrogates, control characters, and anything after the
// last value are errors with their line. Several values may follow each other, as kubectl accepts them. Numbers without
// fraction and exponent that fit 64 bits are integers, all others floating point.

package struct JSONText {
    private let bytes: [UInt8]
    private let limits: TextLimits
    private var position = 0
    private var depth = 0
    private var values = 0
    /// Line breaks are only legal between values and marks, so that skipping white space counts them all.
    private var line = 1

    private init(_ bytes: [UInt8], limits: TextLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// The values of the text in order, each with the line where it begins. Empty for nothing but white space. Cost is
    /// linear in the size.
    package static func parse(
        _ bytes: [UInt8], limits: TextLimits = TextLimits()
    ) throws(TextProblem) -> [(line: Int, value: FieldValue)] {
        guard bytes.count <= limits.bytes else {
            throw TextProblem("has \(bytes.count) bytes; at most \(limits.bytes) are read")
        }
        var text = JSONText(bytes, limits: limits)
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { text.position = 3 }
        var documents: [(line: Int, value: FieldValue)] = []
        text.skipWhiteSpace()
        while text.position < bytes.count {
            let line = text.line
            documents.append((line, try text.value()))
            text.skipWhiteSpace()
        }
        return documents
    }

    private func problem(_ message: String) -> TextProblem { TextProblem(line: line, message) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipWhiteSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\r"), UInt8(ascii: "\t"): position += 1
            case UInt8(ascii: "\n"):
                position += 1
                line += 1
            default: return
            }
        }
    }

    private mutating func value() throws(TextProblem) -> FieldValue {
        values += 1
        guard values <= limits.values else { throw problem("more than \(limits.values) values") }
        switch current {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case .some(UInt8(ascii: "0")...UInt8(ascii: "9")), UInt8(ascii: "-"): return try number()
        case nil: throw problem("the text ends where a value should be")
        case .some(let byte): throw problem("\(Self.name(byte)) where a value should be")
        }
    }

    private mutating func word(_ word: String, _ value: FieldValue) throws(TextProblem) -> FieldValue {
        guard bytes[position...].starts(with: word.utf8) else {
            throw problem("a word that is not true, false or null")
        }
        position += word.utf8.count
        return value
    }

    private mutating func enter() throws(TextProblem) {
        position += 1
        depth += 1
        guard depth <= limits.depth else {
            throw problem("more than \(limits.depth) objects and lists within each other")
        }
        skipWhiteSpace()
    }

    private mutating func leave() {
        position += 1
        depth -= 1
    }

    private mutating func object() throws(TextProblem) -> FieldValue {
        try enter()
        var members: [String: FieldValue] = [:]
        if current == UInt8(ascii: "}") {
            leave()
            return .object(members)
        }
        while true {
            guard current == UInt8(ascii: "\"") else { throw problem("a member's name in quotes should be here") }
            let name = try string()
            skipWhiteSpace()
            guard current == UInt8(ascii: ":") else { throw problem("':' should follow \(FieldValue.quoted(name))") }
            position += 1
            skipWhiteSpace()
            let value = try value()
            guard members.updateValue(value, forKey: name) == nil else {
                throw problem("\(FieldValue.quoted(name)) is there twice in one object")
            }
            guard try nextElement(before: UInt8(ascii: "}")) else { return .object(members) }
        }
    }

    private mutating func array() throws(TextProblem) -> FieldValue {
        try enter()
        var elements: [FieldValue] = []
        if current == UInt8(ascii: "]") {
            leave()
            return .array(elements)
        }
        while true {
            elements.append(try value())
            guard try nextElement(before: UInt8(ascii: "]")) else { return .array(elements) }
        }
    }

    /// Moves past a comma to the next element, or past the end.
    private mutating func nextElement(before end: UInt8) throws(TextProblem) -> Bool {
        skipWhiteSpace()
        switch current {
        case UInt8(ascii: ","):
            position += 1
            skipWhiteSpace()
            return true
        case end:
            leave()
            return false
        case nil: throw problem("the text ends before \(Self.name(end))")
        case .some(let byte): throw problem("\(Self.name(byte)) where ',' or \(Self.name(end)) should be")
        }
    }

    private mutating func number() throws(TextProblem) -> FieldValue {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        let leadingZero = current == UInt8(ascii: "0")
        let digits = skipDigits()
        guard digits > 0, !leadingZero || digits == 1 else {
            throw problem("a number with a leading zero or without digits")
        }
        var isInteger = true
        if current == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard skipDigits() > 0 else { throw problem("a number without digits after the point") }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            isInteger = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard skipDigits() > 0 else { throw problem("a number without digits in its exponent") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isInteger, let integer = Int64(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else {
            throw problem("the number \(FieldValue.quoted(text)) is too large")
        }
        return .number(number)
    }

    private mutating func skipDigits() -> Int {
        let start = position
        while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        return position - start
    }

    static func name(_ byte: UInt8) -> String {
        byte > 0x20 && byte < 0x7f ? "'\(Unicode.Scalar(byte))'" : "byte \(byte)"
    }
}

// Strings, by far the largest part of a document.
extension JSONText {
    /// Reads from the opening quote to behind the closing one.
    private mutating func string() throws(TextProblem) -> String {
        position += 1
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                let text = try text(bytes[start..<position])
                position += 1
                return text
            case UInt8(ascii: "\\"): return try stringWithEscapes(from: start)
            case 0..<0x20: throw problem("a control character in a string")
            default: position += 1
            }
        }
        throw problem("a string without closing quote")
    }

    private func text(_ slice: ArraySlice<UInt8>) throws(TextProblem) -> String {
        guard let text = String(validating: slice, as: UTF8.self) else { throw problem("text that is not UTF-8") }
        return text
    }

    private mutating func stringWithEscapes(from start: Int) throws(TextProblem) -> String {
        var unescaped = Array(bytes[start..<position])
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return try text(unescaped[...])
            case UInt8(ascii: "\\"): try appendEscape(to: &unescaped)
            case 0..<0x20: throw problem("a control character in a string")
            case let byte:
                unescaped.append(byte)
                position += 1
            }
        }
        throw problem("a string without closing quote")
    }

    private mutating func appendEscape(to text: inout [UInt8]) throws(TextProblem) {
        position += 1
        let kind = current
        position += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(kind ?? 0)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(Character(try escapedScalar())).utf8)
        default:
            position = min(position, bytes.count)
            throw problem("an escape that JSON does not know")
        }
    }

    /// The scalar of `\uXXXX` or of a surrogate pair of them; the first `\u` is already behind us.
    private mutating func escapedScalar() throws(TextProblem) -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xdc00, bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) else {
            throw problem("half of a surrogate pair")
        }
        position += 2
        let second = try hexadecimal()
        guard (0xdc00..<0xe000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
        else { throw problem("half of a surrogate pair") }
        return scalar
    }

    private mutating func hexadecimal() throws(TextProblem) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw problem("an escape without four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
