// Files in which something is no YAML: which documents are lost, where the problem is said to be, and what it costs.

import ServiceModel
import Testing

@testable import ManifestSource

@Suite struct SlipTests {
    /// What each object of the file is: a name, or `line: message` for a document that cannot be read.
    private func outline(_ text: String) throws -> [String] {
        try objects(text).map { object in
            switch object.decoded.outcome {
            case .fact(let fact): fact.identity.name.name
            case .nothing(let identity): identity.name.name
            case .unusable(_, let problem): "\(object.problemLines[0]): \(problem.message)"
            }
        }
    }

    private let slip = "a: 1\na: 2\n"
    private let complaint = #""a" is there twice in one object"#

    @Test("the documents before and after a slip are read, and the slip has its line in the file")
    func lines() throws {
        #expect(try outline(yaml("a") + "---\n" + slip + yaml("b")) == ["a", "11: \(complaint)", "b"])
        #expect(try outline("x: [\n" + yaml("b")).last == "b")
        let alias = try outline(yaml("a") + "---\nx: 1\ny: *nowhere\n")
        #expect(alias.first == "a" && alias.last?.hasPrefix("12: is not YAML: ") == true, "\(alias)")
        let bracket = try outline(yaml("a") + "---\ny: {\n" + yaml("b"))
        #expect(bracket[1].hasPrefix("12: is not YAML: ") && bracket[1].hasSuffix("from line 12"), "\(bracket)")
        #expect(try objects(yaml("a") + "---\n" + slip + yaml("b")).map(\.document) == [1, 2, 3])
        #expect(try objects("---\n" + slip + "---\n---\n" + yaml("b")).map(\.document) == [1, 4])
    }

    @Test("lines of problems within later documents count from the file's first")
    func laterProblems() throws {
        let wrong = yaml("b").replacing("port: 80", with: "port: 70000")
        #expect(try outline("---\n" + slip + wrong).last == "12: 70000 is not a port (1…65535)")
    }

    @Test("bytes that are not UTF-8, and control characters, cost their document")
    func bytes() {
        let text = Array(yaml("a").utf8) + Array("---\nx: ".utf8) + [0xff, 0x0a] + Array(yaml("b").utf8)
        guard case .objects(let objects) = ManifestText.parse(text, name: "a.yaml") else {
            Issue.record("unreadable")
            return
        }
        #expect(objects.map(\.problemLines) == [[], [11], []])
    }

    @Test(
        "a text is taken apart only where YAML would",
        arguments: [
            // A block holds what is indented, and ends at a marker.
            ("x: |\n  ---\n  y\n---\nz: 1\n", [1, 4]),
            ("--- |\n ---\n---\nz\n", [1, 3]),
            ("--- >-\n text\n...\n", [1]),
            // Markers want a blank behind them.
            ("a: 1\n---b\n", [1]), ("a: 1\n----\n", [1]), ("---\ta\n---\r\nb\n--- c", [1, 2, 4]),
            // Directives and comments belong to what follows.
            ("%YAML 1.2\n---\na: 1\n...\n# next\n%YAML 1.2\n---\nb: 2\n", [1, 5]),
            ("# comment\n\n---\na: 1\n", [1]),
            ("a: 1\n...\n---\nb: 1\n", [1, 3]),
            ("---\n---\n", [1, 2]),
            // Within quotes a marker is an error wherever the text is taken apart.
            ("x: \"\n---\n\"\n", [1, 2]),
        ])
    func splitting(_ text: String, _ lines: [Int]) throws {
        let parts = try #require(YAMLParts.split(Array(text.utf8)))
        #expect(parts.map(\.firstLine) == lines)
        #expect(parts.flatMap { Array($0.bytes) } == Array(text.utf8))
    }

    @Test(
        "a text that is YAML says the same when it is taken apart",
        arguments: [
            "x: |\n  ---\n  y\n---\nz: 1\n", "--- |\n ---\n---\nz\n", "%YAML 1.2\n---\na: 1\n...\n# n\n---\nb: 2\n",
            "# comment\na: 1\n---\n---\nb: 2\n...\n---\n- c\n", "--- a\n--- >-\n text\n\n more\n---\nb: '1\n\n  2'\n",
            "a: {b: 1,\n c: 2}\n--- # comment\n[1,\n 2]\n",
            "%TAG !e! tag:yaml.org,2002:\n---\na: !e!str 1\n---\nb: 2\n",
        ])
    func sameMeaning(_ text: String) throws {
        let whole = try YAMLText.parse(Array(text.utf8))
        var budget = 1000
        var apart: [YAMLDocument] = []
        for part in try #require(YAMLParts.split(Array(text.utf8))) {
            try YAMLText.read(part, depth: 64, budget: &budget) { apart.append($0) }
        }
        #expect(apart.map(\.value) == whole.map(\.value))
        #expect(apart.map(\.line) == whole.map(\.line))
    }

    @Test("an alias bomb costs its document only, and soon", .timeLimit(.minutes(1)))
    func bomb() throws {
        var text = "l0: &l0 [x]\n"
        for level in 1...12 {
            text += "l\(level): &l\(level) [\(Array(repeating: "*l\(level - 1)", count: 9).joined(separator: ", "))]\n"
        }
        let outline = try outline(yaml("a") + "---\n" + text + yaml("b"))
        #expect(outline.count == 3 && outline.first == "a" && outline.last == "b", "\(outline)")
        #expect(outline[1].hasSuffix("holds too many values, aliases included"))
    }

    @Test("of a file of very many documents none is used when one has a slip", .timeLimit(.minutes(1)))
    func manyDocuments() {
        let text = String(repeating: "---\n", count: 200_000) + slip
        guard case .unreadable(let problem) = content(text) else {
            Issue.record("it was taken apart")
            return
        }
        #expect(problem.message == complaint)
    }
}
