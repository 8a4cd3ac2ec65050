// Names as a shell matches them: `*` for any characters, `?` for one. Nothing else is special.

package struct NamePattern: Hashable, Sendable {
    private let pattern: [Character]

    package init(_ pattern: some StringProtocol) {
        self.pattern = Array(pattern)
    }

    /// Whether the whole name matches. Takes time in proportion to the two lengths' product at most: a mismatch goes
    /// back to the last star only, since an earlier one could gain nothing.
    package func matches(_ name: String) -> Bool {
        let name = Array(name)
        var place = 0, here = 0
        var retry: (place: Int, here: Int)?
        while here < name.count {
            if place < pattern.count, pattern[place] == "*" {
                place += 1
                retry = (place, here)
            } else if place < pattern.count, pattern[place] == "?" || pattern[place] == name[here] {
                place += 1
                here += 1
            } else if let last = retry {
                retry = (last.place, last.here + 1)
                (place, here) = (last.place, last.here + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == "*" }
    }
}
