// dp_choice: one policy's view of a frontend, and the ranges of the arena that it refers to.

package import CDatapathABI

extension dp_choice {
    /// The words of the backend set: two ids to a word.
    package var setRange: Range<Int> {
        Int(set_word)..<(Int(set_word) + (Int(set_count) + 1) / 2)
    }

    /// The words of the choice table: `table_width` bytes a slot.
    package var tableRange: Range<Int> {
        Int(table_word)..<(Int(table_word) + (Int(table_slots) * Int(table_width) + 7) / 8)
    }
}

extension FrontendRecord {
    /// Every range of `slots` that the record refers to, empty ones left out; unchecked, so possibly outside the arena.
    package var slotRanges: [Range<Int>] {
        [fields.internal.setRange, fields.internal.tableRange, fields.external.setRange, fields.external.tableRange]
            .filter { !$0.isEmpty }
    }
}
