// Rows as text for people: columns as wide as they must be, numbers to the right.

package struct TextTable {
    private var rows: [[String]]

    package init(_ titles: String...) {
        rows = [titles]
    }

    /// The first column is aligned to the left, the others to the right.
    package mutating func add(_ cells: String...) {
        rows.append(cells)
    }

    package var text: String {
        let columns = rows.map(\.count).max() ?? 0
        let widths = (0..<columns).map { column in rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0 }
        return rows.map { row in
            let line = row.enumerated().map { column, cell in
                let blank = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + blank : blank + cell
            }.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}

/// A number with so many digits after the point.
package func fixed(_ value: Double, _ digits: Int = 0) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let rounded = (value.magnitude * scale).rounded()
    let sign = value < 0 && rounded > 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(Int(rounded))" }
    let whole = Int(rounded) / Int(scale)
    let rest = String(Int(rounded) % Int(scale))
    return "\(sign)\(whole)." + String(repeating: "0", count: digits - rest.count) + rest
}
