// dp_choice: one policy's view of a frontend, and the ranges of the arena that it refers to.

package import CDatapathABI

extension dp_choice {
    /// The policies' views of a frontend and what one of them was, field by field.
    static func == (left: dp_choice, right: dp_choice) -> Bool {
        (left.set_word, left.set_count, left.table_word, left.table_slots, left.table_width, left.action)
            == (right.set_word, right.set_count, right.table_word, right.table_slots, right.table_width, right.action)
    }

    /// Sends to one of a set. The set may be empty in `dp_frontend.previous`: then every slot counts as moved.
    package var isForward: Bool { dp_action(UInt32(action)) == DP_ACTION_FORWARD }

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
        choices.flatMap { [$0.setRange, $0.tableRange] }.filter { !$0.isEmpty }
    }

    /// `previous` last.
    var choices: [dp_choice] { [fields.internal, fields.external, fields.previous] }

    package var isDSR: Bool { UInt32(fields.flags) & DP_FRONTEND_DSR.rawValue != 0 }

    /// DSR flows are being tracked, since the external policy's backends have changed.
    package var isChanging: Bool { fields.previous.isForward }

    /// Sets what the external policy was before the changes that are going on; an invalid choice: there are none.
    package mutating func setPrevious(_ choice: dp_choice) {
        fields.previous = choice
        let flag = UInt16(DP_FRONTEND_CHANGING.rawValue)
        if choice.isForward { fields.flags |= flag } else { fields.flags &= ~flag }
    }
}
