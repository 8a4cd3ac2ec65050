// How backend ids and positions are packed into the words of the arena (dp_choice, bpf/abi/frontends.h). Words are
// host-order 64-bit integers; the first of several values in a word is its lowest part.

enum SlotPacking {
    /// Two ids to a word, the low half first.
    static func words(ofSet ids: [UInt32]) -> [UInt64] {
        var words: [UInt64] = []
        words.reserveCapacity((ids.count + 1) / 2)
        for index in stride(from: 0, to: ids.count, by: 2) {
            let high = index + 1 < ids.count ? ids[index + 1] : 0
            words.append(UInt64(ids[index]) | UInt64(high) << 32)
        }
        return words
    }

    /// The ids of a set of `count`; the words must be as many as that takes.
    static func ids(ofSet words: ArraySlice<UInt64>, count: Int) -> [UInt32] {
        (0..<count).map { index in
            UInt32(truncatingIfNeeded: words[words.startIndex + index / 2] >> UInt64(32 * (index % 2)))
        }
    }

    /// Bytes for each slot of a table over a set of `count`: the narrowest that holds every position.
    static func width(forSetOf count: Int) -> UInt8 {
        switch count {
        case ...256: 1
        case ...65536: 2
        default: 4
        }
    }

    /// The same for a table whose slots carry a mark beside the position: its top bit.
    static func width(forMarkedSetOf count: Int) -> UInt8 {
        switch count {
        case ...128: 1
        case ...32768: 2
        default: 4
        }
    }

    static func mark(width: UInt8) -> UInt32 { 1 << (UInt32(width) * 8 - 1) }

    static func wordCount(slots: Int, width: UInt8) -> Int {
        (slots * Int(width) + 7) / 8
    }

    /// The positions one after the other, `width` bytes each, the low byte first.
    static func words(ofTable positions: [UInt32], width: UInt8) -> [UInt64] {
        let perWord = 8 / Int(width)
        let bits = UInt64(width) * 8
        var words = [UInt64](repeating: 0, count: wordCount(slots: positions.count, width: width))
        var index = 0
        for word in words.indices {
            var value: UInt64 = 0
            for part in 0..<min(perWord, positions.count - index) {
                value |= UInt64(positions[index]) << (UInt64(part) * bits)
                index += 1
            }
            words[word] = value
        }
        return words
    }

    static func positions(ofTable words: ArraySlice<UInt64>, slots: Int, width: UInt8) -> [UInt32] {
        let perWord = 8 / Int(width)
        let mask = UInt64.max >> (64 - UInt64(width) * 8)
        return (0..<slots).map { slot in
            let shift = UInt64(slot % perWord) * UInt64(width) * 8
            return UInt32(truncatingIfNeeded: words[words.startIndex + slot / perWord] >> shift & mask)
        }
    }
}
