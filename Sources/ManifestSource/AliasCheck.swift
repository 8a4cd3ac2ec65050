// A look at YAML text before Yams gets it. Yams hashes the names of fields to find duplicates, and would hash an alias
// used as a name in its fully expanded form: some forty nested aliases take forever. Aliases as values are harmless,
// the conversion counts them.

import ServiceModel

enum AliasCheck {
    /// Up to this many aliases expand to at most 3^(12/3) copies, which is quick even of large lists.
    private static let harmlessAliases = 12

    /// A problem when the text has many aliases and also something that may be an alias within the name of a field: an
    /// explicit key (`? `), an alias followed by a colon, or one that stands between braces by itself. Text in quotes
    /// and blocks is not told apart, so this errs towards refusing, in files that no person writes.
    static func problem(in bytes: ArraySlice<UInt8>) -> TextProblem? {
        guard bytes.contains(UInt8(ascii: "&")) else { return nil }
        var scan = Scan()
        for index in bytes.indices { scan.take(bytes, index) }
        guard scan.aliases > harmlessAliases, let line = scan.suspiciousLine else { return nil }
        return TextProblem(line: line, "uses aliases in the name of a field, which is not supported")
    }

    private struct Scan {
        var aliases = 0
        var suspiciousLine: Int?
        private var line = 1
        private var previous = UInt8(ascii: "\n")
        /// The last byte that was not white space.
        private var mark = UInt8(ascii: "\n")
        private var open: [UInt8] = []

        mutating func take(_ bytes: ArraySlice<UInt8>, _ index: Int) {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\n"): line += 1
            case UInt8(ascii: "{"), UInt8(ascii: "["): open.append(byte)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = open.popLast()
            case UInt8(ascii: "*") where isBoundary(previous):
                aliases += 1
                let isInBraces =
                    mark == UInt8(ascii: "{") || mark == UInt8(ascii: ",") && open.last == UInt8(ascii: "{")
                if isInBraces || isKey(bytes, after: index) { suspiciousLine = suspiciousLine ?? line }
            case UInt8(ascii: "?") where isBoundary(previous): suspiciousLine = suspiciousLine ?? line
            default: break
            }
            previous = byte
            if !isSpace(byte) { mark = byte }
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n")
            || byte == UInt8(ascii: "\r")
    }

    private static func isBoundary(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: ","),
            UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ":"), UInt8(ascii: "?"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// Whether a colon is the next thing after the alias that begins at `start`.
    private static func isKey(_ bytes: ArraySlice<UInt8>, after start: Int) -> Bool {
        var index = start + 1
        while index < bytes.endIndex, !isBoundary(bytes[index]) || bytes[index] == UInt8(ascii: "-") { index += 1 }
        while index < bytes.endIndex, isSpace(bytes[index]) { index += 1 }
        return index < bytes.endIndex && bytes[index] == UInt8(ascii: ":")
    }
}
