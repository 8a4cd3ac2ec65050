// How tables are laid out.

import Inspection
import Testing

@Suite("Tables")
struct TextTableTests {
    private let columns: [TextTable.Column] = [.init("NAME"), .init("COUNT", .right), .init("NOTE")]

    @Test("columns are as wide as their widest cell, and lines end without blanks")
    func aligns() {
        let table = TextTable(columns: columns, rows: [["a", "7", ""], ["longer", "12345678", "x"]])
        #expect(
            table.text == """
                NAME       COUNT  NOTE
                a              7  -
                longer  12345678  x

                """)
    }

    @Test("a table without rows is no text at all")
    func isEmptyWithoutRows() {
        #expect(TextTable(columns: columns, rows: []).text.isEmpty)
    }
}
