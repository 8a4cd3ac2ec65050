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
        guard !rows.isEmpty else { return "" }
        let cells = [columns.map(\.title)] + rows.map { $0.map { $0.isEmpty ? "-" : $0.visible() } }
        let widths = columns.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            var line = columns.indices.map { column -> String in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                switch columns[column].alignment {
                case .left: return row[column] + padding
                case .right: return padding + row[column]
                }
            }.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line + "\n"
        }.joined()
    }
}
