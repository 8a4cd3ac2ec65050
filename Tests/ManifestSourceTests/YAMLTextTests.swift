// YAML as trees: what scalars mean, the traps of YAML 1.1, bounds, and lines.

import ServiceModel
import Testing

@testable import ManifestSource

@Suite struct YAMLTextTests {
    private func parse(_ text: String, limits: TextLimits = TextLimits()) throws -> [FieldValue] {
        try YAMLText.parse(Array(text.utf8), limits: limits).map(\.value)
    }

    private func failure(_ text: String, limits: TextLimits = TextLimits()) -> TextProblem? {
        do throws(TextProblem) {
            _ = try YAMLText.parse(Array(text.utf8), limits: limits)
            return nil
        } catch {
            return error
        }
    }

    @Test(
        "plain scalars follow the core schema",
        arguments: [
            ("80", .integer(80)), ("-1", .integer(-1)), ("+1", .integer(1)), ("0", .integer(0)), ("0x1F", .integer(31)),
            ("0o17", .integer(15)), ("1.5", .number(1.5)), ("1e3", .number(1000)), (".5", .number(0.5)),
            ("true", .bool(true)), ("False", .bool(false)), ("null", .null), ("~", .null), ("", .null),
            ("10.0.0.1", .string("10.0.0.1")), ("web", .string("web")),
        ] as [(String, FieldValue)])
    func core(_ text: String, _ value: FieldValue) throws {
        #expect(try parse("a: \(text)") == [.object(["a": value])])
    }

    @Test(
        "what YAML 1.1 reads in another way stays text",
        arguments: [
            "yes", "no", "on", "off", "y", "0123", "1_000", "12:30:45", "2026-11-21", "0b11", ".inf", ".nan", "0x",
            "0x-1",
            "1.2.3", "e", "1e", "99999999999999999999999999999999999999x", "nan", "infinity", "0xG",
        ])
    func text(_ text: String) throws {
        #expect(try parse("a: \(text) ").first?["a"] == .string(text))
    }

    @Test("quotes, blocks and tags make text of numbers and numbers of text")
    func quotes() throws {
        #expect(
            try parse("a: \"80\"\nb: '80'\nc: |\n  80\nd: !!str 80\ne: !!int \"80\"\nf: >-\n  x\n  y\n")
                == [
                    .object([
                        "a": .string("80"), "b": .string("80"), "c": .string("80\n"), "d": .string("80"),
                        "e": .integer(80), "f": .string("x y"),
                    ])
                ])
        #expect(failure("a: !!int web")?.message == #""web" is not what its tag says"#)
        #expect(failure("a: !secret web")?.message == #"the tag "!secret" is not known"#)
    }

    @Test("documents keep their number and line")
    func documents() throws {
        let documents = try YAMLText.parse(Array("# comment\na: 1\n---\n---\nb: 2\n...\n---\n- c\n".utf8))
        #expect(
            documents.map(\.value) == [
                .object(["a": .integer(1)]), .null, .object(["b": .integer(2)]), .array([.string("c")]),
            ])
        #expect(documents.map(\.line) == [2, 4, 5, 8])
    }

    @Test("nothing, white space and comments are no documents", arguments: ["", "\n\n", "# only a comment\n"])
    func empty(_ text: String) throws {
        #expect(try parse(text) == [])
    }

    @Test("the line of a field, or of the nearest thing around it")
    func lines() throws {
        let text = "metadata:\n  labels:\n    a.b/c: x\nspec:\n  ports:\n  - port: 1\n  - name: a\n    port: 2\n"
        let document = try #require(try YAMLText.parse(Array(text.utf8)).first)
        #expect(document.line(of: "spec.ports[1].port") == 8)
        #expect(document.line(of: "metadata.labels[a.b/c]") == 3)
        #expect(document.line(of: "spec.ports[7].port") == 6)
        #expect(document.line(of: "spec.type") == 5)
        #expect(document.line(of: "") == 1)
    }

    struct Wrong: Sendable {
        var text: String
        var line: Int?
        var part: String
    }

    @Test(
        "what is not YAML is a problem with its line",
        arguments: [
            Wrong(text: "a: 1\na: 2", line: 1, part: #""a" is there twice in one object"#),
            Wrong(text: "a: 1\n\"a\": 2", line: 1, part: #""a" is there twice in one object"#),
            Wrong(text: "b: 1\na: 1\nb: 2\na: 2", line: nil, part: #""a", "b" is there twice in one object"#),
            Wrong(text: "a:\n\t- b", line: 2, part: "cannot start any token"),
            Wrong(text: "a: [1,\nb: 2", line: 2, part: "is not YAML"),
            Wrong(text: "ok: 1\n---\na: *nowhere", line: 3, part: "undefined alias"),
            Wrong(text: "? [a, b]\n: c", line: 1, part: "as the name of a field"),
            Wrong(text: "a: {b: c", line: 1, part: "is not YAML"),
            Wrong(text: "a: [", line: 1, part: "from line 1"),
            Wrong(text: "b: 1\na: {\n", line: 3, part: "from line 3"),
            Wrong(text: "a: \"\\x\"", line: 1, part: "is not YAML"),
            Wrong(text: "a\u{0}b: c", line: 1, part: "is not YAML"),
            Wrong(text: "a: 1\n<<: 7", line: 1, part: "merges"),
        ])
    func wrong(_ row: Wrong) throws {
        let problem = try #require(failure(row.text), "\(row.text)")
        #expect(problem.message.contains(row.part), "\(problem)")
        #expect(problem.line == row.line, "\(problem)")
    }

    @Test("text that is not UTF-8 is a problem with its line")
    func notUTF8() {
        #expect(throws: TextProblem(line: 2, "is not UTF-8 text")) {
            try YAMLText.parse(Array("a: b\nc: ".utf8) + [0xff, 0x0a] + Array("d: e".utf8))
        }
    }

    @Test("aliases and merge keys work")
    func aliases() throws {
        let text = "base: &base {a: 1, b: 2}\nuse: {<<: *base, b: 3}\nlist: [*base]\nboth: {<<: [{a: 7}, *base]}\n"
        let document = try #require(try parse(text).first)
        #expect(document["use"] == .object(["a": .integer(1), "b": .integer(3)]))
        #expect(document["list"] == .array([.object(["a": .integer(1), "b": .integer(2)])]))
        #expect(document["both"] == .object(["a": .integer(7), "b": .integer(2)]))
    }

    /// Each level holds the level below nine times.
    private func bomb(levels: Int, last: String) -> String {
        var text = "l0: &l0 [x]\n"
        for level in 1...levels {
            let inner = Array(repeating: "*l\(level - 1)", count: 9).joined(separator: ", ")
            text += "l\(level): &l\(level) [\(inner)]\n"
        }
        return text + last
    }

    @Test("alias bombs are given up, soon", .timeLimit(.minutes(1)))
    func bombs() throws {
        #expect(failure(bomb(levels: 12, last: ""))?.message == "holds too many values, aliases included")
        for last in [
            "? *l12\n: x\n", "*l12 : x\n", "a: {*l12 : x}\n", "a: {*l12, b}\n", "a: {b, *l12}\n", "a: [*l12 : x]\n",
        ] {
            #expect(failure(bomb(levels: 12, last: last))?.message.contains("aliases") == true, "\(last)")
        }
    }

    @Test("depth and size are bounded")
    func bounds() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(try parse(nested(64)).count == 1)
        #expect(failure(nested(65))?.message == "has more than 64 objects and lists within each other")
        #expect(failure(nested(100_000)) != nil)
        #expect(failure(String(repeating: "- ", count: 50_000)) != nil)
        #expect(failure(String(repeating: "a:\n ", count: 5)) != nil)
        #expect(failure("[1, 2, 3]", limits: TextLimits(values: 3)) != nil)
        #expect(failure("[1, 2]", limits: TextLimits(values: 3)) == nil)
        #expect(failure("[1, 2]", limits: TextLimits(bytes: 5)) != nil)
    }

    @Test("a path comes apart into members and places")
    func paths() {
        #expect(
            FieldPath.steps("items[3].metadata.labels[app.kubernetes.io/name]") == [
                .member("items"), .element(3), .member("metadata"), .member("labels"),
                .member("app.kubernetes.io/name"),
            ])
        #expect(FieldPath.steps("") == [])
        #expect(FieldPath.steps("[") == [.member("")])
    }
}
