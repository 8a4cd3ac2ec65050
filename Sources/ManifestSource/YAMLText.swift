// YAML as trees, one per document. Yams parses; which plain scalars are numbers, booleans or null is decided here by
// YAML 1.2's core schema, so that `yes` stays text. What could be read in two ways stays text as well: 0123 (octal to
// some), 1_000, 12:30. Duplicate keys are errors. Merge keys (`<<`) are applied, since kubectl knows them.

package import ServiceModel
internal import Yams

/// One document with what is needed to name the line of a field in it.
package struct YAMLDocument {
    package let value: FieldValue
    /// Where the document's content begins, counted from 1.
    package let line: Int
    private let root: Yams.Node
    /// Lines of the file in front of the text that was parsed.
    private let linesBefore: Int

    /// - Parameter lastLine: of the text that was parsed; the mark of an empty document may be behind it.
    fileprivate init(value: FieldValue, root: Yams.Node, linesBefore: Int, lastLine: Int) {
        self.value = value
        self.root = root
        self.linesBefore = linesBefore
        self.line = linesBefore + min(root.mark?.line ?? 1, lastLine)
    }

    /// The line of the field with this path (`spec.ports[0].port`), or of the closest thing around it that exists.
    package func line(of path: String) -> Int {
        var node = root
        var line = line
        for step in FieldPath.steps(path) {
            guard let next = node.child(step) else { break }
            node = next
            line = next.mark.map { linesBefore + $0.line } ?? line
        }
        return line
    }
}

package enum YAMLText {
    /// Reads all documents. Throws when any is not YAML, is nested too deeply or too large once its aliases are
    /// expanded. Empty documents are .null.
    package static func parse(
        _ bytes: [UInt8], limits: TextLimits = TextLimits()
    ) throws(TextProblem) -> [YAMLDocument] {
        var documents: [YAMLDocument] = []
        try forEachDocument(in: bytes, limits: limits) { documents.append($0) }
        return documents
    }

    /// The same, one document after the other: what Yams makes of a document takes twenty times the memory of its text,
    /// and need not stay. After an error, documents that were delivered already should not be used.
    package static func forEachDocument(
        in bytes: [UInt8], limits: TextLimits = TextLimits(), _ body: (YAMLDocument) -> Void
    ) throws(TextProblem) {
        try checkSize(bytes, limits)
        var budget = limits.values
        let whole = YAMLPart(bytes: bytes.withoutByteOrderMark, firstLine: 1)
        try read(whole, depth: limits.depth, budget: &budget, body)
    }

    static func checkSize(_ bytes: [UInt8], _ limits: TextLimits) throws(TextProblem) {
        guard bytes.count <= limits.bytes else {
            throw TextProblem("has \(bytes.count) bytes; at most \(limits.bytes) are read")
        }
    }

    /// - Parameter budget: how many values may still be made, of this part and all others of the file.
    package static func read(
        _ part: YAMLPart, depth: Int, budget: inout Int, _ body: (YAMLDocument) -> Void
    ) throws(TextProblem) {
        let linesBefore = part.firstLine - 1
        // Text without aliases holds fewer values than bytes; ten times that is room for honest aliases.
        let room = min(budget, 10 * part.bytes.count + 10_000)
        var left = room
        defer { budget -= room - max(left, 0) }
        do throws(TextProblem) {
            try parse(part, depth: depth, values: &left, body)
        } catch {
            throw TextProblem(line: error.line.map { linesBefore + $0 }, error.message)
        }
    }

    /// Lines in problems are those of the part.
    private static func parse(
        _ part: YAMLPart, depth: Int, values: inout Int, _ body: (YAMLDocument) -> Void
    ) throws(TextProblem) {
        let text = try text(part.bytes)
        if let problem = AliasCheck.problem(in: part.bytes) { throw problem }
        let linesBefore = part.firstLine - 1
        let lastLine = part.bytes.count { $0 == UInt8(ascii: "\n") } + 1
        do {
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            while let root = try parser.nextRoot() {
                var conversion = YAMLConversion(budget: values, maxDepth: depth)
                defer { values = conversion.budget }
                let value = try conversion.value(of: root, depth: 0)
                body(YAMLDocument(value: value, root: root, linesBefore: linesBefore, lastLine: lastLine))
            }
        } catch let problem as TextProblem {
            throw problem
        } catch let error as YamlError {
            throw error.problem(lastLine: lastLine, linesBefore: linesBefore)
        } catch {
            throw TextProblem("cannot be parsed: \(error)")
        }
    }

    static func text(_ bytes: ArraySlice<UInt8>) throws(TextProblem) -> String {
        // Yams keeps a pointer to the text while it parses, which short strings do not have: they live in registers.
        let padding = bytes.count < 64 ? Array("\n# too short for a heap".utf8) : []
        guard let text = String(validating: bytes + padding, as: UTF8.self) else {
            throw TextProblem(line: lineOfInvalidUTF8(bytes), "is not UTF-8 text")
        }
        return text
    }

    private static func lineOfInvalidUTF8(_ bytes: ArraySlice<UInt8>) -> Int {
        var line = 1
        for part in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            if String(validating: part, as: UTF8.self) == nil { return line }
            line += 1
        }
        return line
    }
}

extension YamlError {
    /// What is missing at the end of the text is not to be looked for in the padding behind its last line.
    fileprivate func problem(lastLine: Int, linesBefore: Int) -> TextProblem {
        switch self {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let around = context.map { " \($0.text) from line \(linesBefore + min($0.mark.line, lastLine))" } ?? ""
            return TextProblem(line: min(mark.line, lastLine), "is not YAML: \(problem)\(around)")
        case .reader(let problem, let offset, _, let text):
            let line = offset.map { offset in text.utf8.prefix(offset).count { $0 == UInt8(ascii: "\n") } + 1 }
            return TextProblem(line: line.map { min($0, lastLine) }, "is not YAML: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            // Yams gives several keys in no particular order, and the line of any of them. Names that are no text are
            // called something else there.
            let names = keys.map { $0 == "<uncovertable>" ? "a list or an object" : FieldValue.quoted($0) }.sorted()
            let message = "\(names.joined(separator: ", ")) is there twice in one object"
            return TextProblem(line: keys.count == 1 ? min(context.mark.line, lastLine) : nil, message)
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            return TextProblem("is not YAML: \(self)")
        }
    }
}

extension Yams.Node {
    fileprivate func child(_ step: FieldPath.Step) -> Yams.Node? {
        switch step {
        case .member(let name):
            mapping?.first { $0.key.scalar?.string == name }?.value
        case .element(let index):
            sequence.flatMap { $0.indices.contains(index) ? $0[index] : nil }
        }
    }
}

extension [UInt8] {
    /// Editors of other systems put U+FEFF in front of UTF-8 text; it is no part of the text.
    var withoutByteOrderMark: ArraySlice<UInt8> { starts(with: [0xef, 0xbb, 0xbf]) ? dropFirst(3) : self[...] }
}
