// How much a document may hold before reading it is given up, and what is reported when it cannot be read.

package struct TextLimits: Hashable, Sendable {
    /// Size of the text.
    package var bytes: Int
    /// Objects and lists within each other.
    package var depth: Int
    /// Values of one text after aliases are expanded: about 100 bytes of memory each.
    package var values: Int

    /// 64 MiB, 64 levels, 8 million values: ten times what 100,000 endpoints take.
    package init(bytes: Int = 64 << 20, depth: Int = 64, values: Int = 8_000_000) {
        self.bytes = bytes
        self.depth = depth
        self.values = values
    }
}

/// Text that is not what it should be, with the place.
package struct TextProblem: Hashable, Sendable, Error {
    /// Counted from 1; nil when the text as a whole is meant.
    package var line: Int?
    package var message: String

    package init(line: Int? = nil, _ message: String) {
        self.line = line
        self.message = message
    }
}
