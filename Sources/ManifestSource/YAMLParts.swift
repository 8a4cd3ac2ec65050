// Where a YAML text can be taken apart without parsing it, so that a slip in one document need not cost the others. A
// line that begins with `---` or `...` and a blank is a marker wherever it stands: YAML forbids such lines in quotes and
// in blocks (YAML 1.2, 9.1.2, c-forbidden), and libyaml ends or refuses both there.

/// A stretch of a text that holds whole documents, one as a rule.
package struct YAMLPart {
    package var bytes: ArraySlice<UInt8>
    /// Of the whole text, counted from 1.
    package var firstLine: Int
}

package enum YAMLParts {
    /// Each part costs a parser of its own, some microseconds: no honest file has more documents.
    private static let limit = 100_000

    /// The parts in order; together they are the text. Only line feeds are looked at, so that a text with other line
    /// breaks stays in larger parts. Nil when there are too many.
    package static func split(_ bytes: [UInt8]) -> [YAMLPart]? {
        var parts: [YAMLPart] = []
        var start = (index: 0, line: 1)
        // Directives and comments in front of a marker belong to the document behind it.
        var hasBegun = false
        var line = (index: 0, number: 1)
        while line.index < bytes.count {
            let end = bytes[line.index...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? bytes.count
            let kind = Kind(of: bytes[line.index..<end])
            if kind == .start, hasBegun {
                parts.append(YAMLPart(bytes: bytes[start.index..<line.index], firstLine: start.line))
                start = (line.index, line.number)
            }
            if kind == .start || kind == .content { hasBegun = true }
            line = (end, line.number + 1)
            if kind == .end {
                parts.append(YAMLPart(bytes: bytes[start.index..<end], firstLine: start.line))
                start = (line.index, line.number)
                hasBegun = false
            }
            guard parts.count < limit else { return nil }
        }
        if start.index < bytes.count {
            parts.append(YAMLPart(bytes: bytes[start.index...], firstLine: start.line))
        }
        return parts
    }

    private enum Kind {
        /// `---`: a document begins here.
        case start
        /// `...`: one ends here.
        case end
        /// A comment, a directive or nothing.
        case around
        case content

        init(of line: ArraySlice<UInt8>) {
            if line.starts(with: "---".utf8), Self.isBlank(line.dropFirst(3).first) {
                self = .start
            } else if line.starts(with: "...".utf8), Self.isBlank(line.dropFirst(3).first) {
                self = .end
            } else if line.first == UInt8(ascii: "%") || line.first == UInt8(ascii: "#")
                || line.allSatisfy({ Self.isBlank($0) })
            {
                self = .around
            } else {
                self = .content
            }
        }

        private static func isBlank(_ byte: UInt8?) -> Bool {
            switch byte {
            case nil, UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): true
            default: false
            }
        }
    }
}
