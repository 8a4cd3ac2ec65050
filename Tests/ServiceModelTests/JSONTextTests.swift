// JSON: values, strictness, and bounds.

import ServiceModel
import Testing

@Suite struct JSONTextTests {
    private func parse(_ text: String, limits: TextLimits = TextLimits()) throws -> [FieldValue] {
        try JSONText.parse(Array(text.utf8), limits: limits).map(\.value)
    }

    @Test("every kind of value")
    func values() throws {
        let text = #"{"a":[1,-2,0,1.5,1e3,true,false,null,"x"],"b":{},"c":[]}"#
        let list: [FieldValue] = [
            .integer(1), .integer(-2), .integer(0), .number(1.5), .number(1000), .bool(true), .bool(false), .null,
            .string("x"),
        ]
        #expect(try parse(text) == [.object(["a": .array(list), "b": .object([:]), "c": .array([])])])
    }

    @Test("escapes, surrogate pairs and plain UTF-8 in strings")
    func strings() throws {
        #expect(
            try parse(#"["\"\\\/\b\f\n\r\t","\u00e9\uD83D\uDE00é😀"]"#)
                == [.array([.string("\"\\/\u{8}\u{c}\n\r\t"), .string("é😀é😀")])])
    }

    @Test("several values may follow each other, each with its line")
    func sequence() throws {
        let documents = try JSONText.parse(Array("\u{feff}{}\n\n {\"a\":\n1} 7".utf8))
        #expect(documents.map(\.line) == [1, 3, 4])
        #expect(documents.map(\.value) == [.object([:]), .object(["a": .integer(1)]), .integer(7)])
        #expect(try parse(" \n\t") == [])
    }

    @Test("integers beyond 64 bits become floating point, and beyond that an error")
    func largeNumbers() throws {
        #expect(try parse("9223372036854775807 -9223372036854775808") == [.integer(.max), .integer(.min)])
        #expect(try parse("9223372036854775808") == [.number(9_223_372_036_854_775_808)])
        #expect(throws: TextProblem.self) { try parse("1e999") }
    }

    struct Wrong: Sendable {
        var text: String
        var line: Int
        var message: String
    }

    @Test(
        "what is not JSON is an error with its line",
        arguments: [
            Wrong(text: "{\"a\":1,\n\"a\":2}", line: 2, message: #""a" is there twice in one object"#),
            Wrong(text: "{\"a\":1,}", line: 1, message: "a member's name in quotes should be here"),
            Wrong(text: "[1,]", line: 1, message: "']' where a value should be"),
            Wrong(text: "[1 2]", line: 1, message: "'2' where ',' or ']' should be"),
            Wrong(text: "{\"a\" 1}", line: 1, message: #"':' should follow "a""#),
            Wrong(text: "[\n\n", line: 3, message: "the text ends where a value should be"),
            Wrong(text: "[1", line: 1, message: "the text ends before ']'"),
            Wrong(text: "\"a", line: 1, message: "a string without closing quote"),
            Wrong(text: "\"a\nb\"", line: 1, message: "a control character in a string"),
            Wrong(text: #""\x""#, line: 1, message: "an escape that JSON does not know"),
            Wrong(text: #""\ud800""#, line: 1, message: "half of a surrogate pair"),
            Wrong(text: #""\udc00x""#, line: 1, message: "half of a surrogate pair"),
            Wrong(text: #""\u12g4""#, line: 1, message: "an escape without four hexadecimal digits"),
            Wrong(text: "01", line: 1, message: "a number with a leading zero or without digits"),
            Wrong(text: "-", line: 1, message: "a number with a leading zero or without digits"),
            Wrong(text: "1.", line: 1, message: "a number without digits after the point"),
            Wrong(text: "1e", line: 1, message: "a number without digits in its exponent"),
            Wrong(text: "tru", line: 1, message: "a word that is not true, false or null"),
            Wrong(text: "a: b", line: 1, message: "'a' where a value should be"),
            Wrong(text: "\"\\", line: 1, message: "an escape that JSON does not know"),
        ])
    func wrong(_ row: Wrong) {
        #expect(throws: TextProblem(line: row.line, row.message)) { try parse(row.text) }
    }

    @Test("text that is not UTF-8 is an error")
    func invalidUTF8() {
        #expect(throws: TextProblem(line: 1, "text that is not UTF-8")) {
            try JSONText.parse([UInt8(ascii: "\""), 0xff, UInt8(ascii: "\"")])
        }
    }

    @Test("size, depth and number of values are bounded")
    func limits() throws {
        let deep = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
        #expect(throws: TextProblem.self) { try parse(deep) }
        #expect(try parse(String(deep.dropFirst().dropLast())).count == 1)
        #expect(throws: TextProblem.self) { try parse("[1,2,3]", limits: TextLimits(values: 3)) }
        #expect(try parse("[1,2]", limits: TextLimits(values: 3)).count == 1)
        #expect(throws: TextProblem.self) { try parse("[1,2]", limits: TextLimits(bytes: 4)) }
        #expect(throws: TextProblem.self) { try parse(String(repeating: "[", count: 1_000_000)) }
    }
}
