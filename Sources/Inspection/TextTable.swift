// Plain-text tables: aligned columns, two blanks between them, no rules and no colours, nothing at the end of a line.
// An empty table is empty text. A cell is one line, whatever it says.

import Telemetry

package struct TextTable: Sendable {
    package enum Alignment: Sendable {
        case left
        /// For numbers.
        case right
    }

    package struct Column: Sendable {
        package var title: String
        package var alignment: Alignment

        package init(_ title: String, _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    package var columns: [Column]
    /// Each with one cell for each column. An empty cell is shown as a dash.
    package var rows: [[String]]

    package init(columns: [Column], rows: [[String]]) {
        self.columns = columns
        self.rows = rows
    }

    package var text: String {
        var parts = TextTableParts(columns: columns)
        return parts.text(of: rows)
    }
}

/// A table whose rows come in parts: the header comes with the first one, and its cells decide how wide the columns are.
/// A later cell that is wider moves the rest of its line.
package struct TextTableParts: Sendable {
    private let columns: [TextTable.Column]
    /// Nil before the first part.
    private var widths: [Int]?

    package init(columns: [TextTable.Column]) {
        self.columns = columns
    }

    package mutating func text(of rows: [[String]]) -> String {
        guard !rows.isEmpty else { return "" }
        var cells = rows.map { $0.map { $0.isEmpty ? "-" : $0.visible() } }
        let widths: [Int]
        if let known = self.widths {
            widths = known
        } else {
            cells.insert(columns.map(\.title), at: 0)
            widths = columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
            self.widths = widths
        }
        return cells.map { line(of: $0, widths) }.joined()
    }

    private func line(of row: [String], _ widths: [Int]) -> String {
        var line = columns.indices.map { column -> String in
            let padding = String(repeating: " ", count: max(0, widths[column] - row[column].count))
            switch columns[column].alignment {
            case .left: return row[column] + padding
            case .right: return padding + row[column]
            }
        }.joined(separator: "  ")
        while line.last == " " { line.removeLast() }
        return line + "\n"
    }
}
