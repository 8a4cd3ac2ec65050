// Text of others, such as the names of objects and files, on its way to a terminal or a log: nothing in it may end a line,
// move the cursor or turn the direction of reading.

extension StringProtocol {
    /// The text with every control character written as `\u001b`, which is what JSON calls it too: in a JSON text the
    /// meaning stays.
    ///
    /// - Parameter keepsLines: whether line feeds stay as they are, for texts of several lines.
    package func visible(keepsLines: Bool = false) -> String {
        guard unicodeScalars.contains(where: { Self.isInvisible($0, keepsLines) }) else { return String(self) }
        var text = ""
        for scalar in unicodeScalars {
            if Self.isInvisible(scalar, keepsLines) {
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    /// C0, DEL, C1, line and paragraph separators, and the marks of bidirectional text: none beyond U+FFFF.
    private static func isInvisible(_ scalar: Unicode.Scalar, _ keepsLines: Bool) -> Bool {
        switch scalar.value {
        case 0x0a: !keepsLines
        case 0x00...0x1f, 0x7f...0x9f, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}
