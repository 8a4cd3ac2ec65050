// The three forms in which a command shows a list: a table for people, JSON for machines, identifiers for pipes. The
// payload (Entry) is separate from the columns, so that a table may leave out and shorten what JSON has in full.

import FoundationEssentials

package protocol Listing: Sendable {
    /// One element of the JSON array.
    associatedtype Entry: Encodable & Sendable
    var entries: [Entry] { get }
    static var columns: [TextTable.Column] { get }
    /// The cells of one row, one for each column.
    func cells(of entry: Entry) -> [String]
    /// What names the entry in other commands, such as in `--to` or `--service`.
    func identifier(of entry: Entry) -> String
}

extension Listing {
    /// Empty for an empty list: no header either.
    package var table: String {
        TextTable(columns: Self.columns, rows: entries.map(cells)).text
    }

    /// One line for each entry.
    package var identifiers: String {
        entries.map { identifier(of: $0) + "\n" }.joined()
    }

    /// An array, `[]` for an empty list.
    package func json() throws -> String {
        try JSONText.encode(entries)
    }
}

/// How this package writes JSON: readable, keys in order, so that two runs can be compared.
package enum JSONText {
    package static func encode(_ value: some Encodable) throws -> String {
        try text(value, [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }

    /// The elements of an array as `encode` writes them, without the brackets around: for arrays that come in parts.
    static func encodeElements(_ values: [some Encodable]) throws -> String {
        var text = try encode(values)
        text.removeFirst("[\n".count)
        text.removeLast("\n]\n".count)
        return text
    }

    /// On one line, for streams.
    package static func encodeLine(_ value: some Encodable) throws -> String {
        try text(value, [.sortedKeys, .withoutEscapingSlashes])
    }

    private static func text(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        encoder.dateEncodingStrategy = .iso8601
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }
}
