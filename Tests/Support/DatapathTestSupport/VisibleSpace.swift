// Which words and which backends a packet may be reading: those that a frontend in the map refers to, and those that
// one referred to less than a grace period ago.

import CDatapathABI
import DatapathImage

struct VisibleSpace {
    var grace: Duration = .zero
    var now = ContinuousClock.now

    private struct Use {
        var words: [Int]
        var backends: Set<UInt32>
    }

    private var uses: [FrontendKey: Use] = [:]
    private var wordCounts: [Int: Int] = [:]
    private var backendCounts: [UInt32: Int] = [:]
    private var wordsUntil: [Int: ContinuousClock.Instant] = [:]
    private var backendsUntil: [UInt32: ContinuousClock.Instant] = [:]
    /// Damaged by a test, so that repairing them in place is right.
    private var excusedWords: Set<Int> = []
    private var excusedBackends: Set<UInt32> = []

    func isWatched(word: Int) -> Bool {
        if excusedWords.contains(word) { return false }
        return wordCounts[word] != nil || (wordsUntil[word].map { $0 > now } ?? false)
    }

    func isWatched(backend: UInt32) -> Bool {
        if excusedBackends.contains(backend) { return false }
        return backendCounts[backend] != nil || (backendsUntil[backend].map { $0 > now } ?? false)
    }

    mutating func repaired(word: Int) { excusedWords.remove(word) }
    mutating func repaired(backend: UInt32) { excusedBackends.remove(backend) }

    mutating func excuse(_ before: MapContents, _ after: MapContents) {
        for word in 0..<max(before.slots.count, after.slots.count)
        where before.slots.at(word, or: 0) != after.slots.at(word, or: 0) {
            excusedWords.insert(word)
        }
        for id in 0..<max(before.backends.count, after.backends.count)
        where before.backends.at(id, or: .free) != after.backends.at(id, or: .free) {
            excusedBackends.insert(UInt32(id))
        }
    }

    mutating func show(_ record: FrontendRecord, at key: FrontendKey, in maps: MapContents) {
        let choices = [record.fields.internal, record.fields.external]
        let use = Use(
            words: Array(Set(record.slotRanges.flatMap { Array($0.clamped(to: 0..<maps.slots.count)) })),
            backends: Set(choices.flatMap { Self.members(of: $0, in: maps) }))
        for word in use.words { wordCounts[word, default: 0] += 1 }
        for id in use.backends { backendCounts[id, default: 0] += 1 }
        uses[key] = use
    }

    mutating func hide(_ record: FrontendRecord, at key: FrontendKey) {
        guard let use = uses.removeValue(forKey: key) else { return }
        for word in use.words {
            wordCounts[word] = wordCounts[word].flatMap { $0 == 1 ? nil : $0 - 1 }
            wordsUntil[word] = now + grace
        }
        for id in use.backends {
            backendCounts[id] = backendCounts[id].flatMap { $0 == 1 ? nil : $0 - 1 }
            backendsUntil[id] = now + grace
        }
    }

    /// The backend ids of a choice's set, read from the arena.
    static func members(of choice: dp_choice, in maps: MapContents) -> [UInt32] {
        guard choice.setRange.upperBound <= maps.slots.count else { return [] }
        return (0..<Int(choice.set_count)).map { index in
            UInt32(truncatingIfNeeded: maps.slots[Int(choice.set_word) + index / 2] >> UInt64(32 * (index % 2)))
        }
    }

    /// The positions of a choice's table, read from the arena.
    static func positions(of choice: dp_choice, in maps: MapContents) -> [UInt32] {
        guard choice.table_width > 0, choice.tableRange.upperBound <= maps.slots.count else { return [] }
        let width = Int(choice.table_width)
        return (0..<Int(choice.table_slots)).map { slot in
            let byte = slot * width
            let value = maps.slots[Int(choice.table_word) + byte / 8] >> UInt64(8 * (byte % 8))
            return UInt32(truncatingIfNeeded: value & (.max >> UInt64(64 - 8 * width)))
        }
    }
}

extension Array {
    /// The element, or what stands for those that are left out at the end.
    fileprivate func at(_ index: Int, or missing: Element) -> Element { index < count ? self[index] : missing }
}
