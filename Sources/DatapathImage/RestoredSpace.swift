// Reads the ranges that the frontends of an earlier run refer to, and tells the ones to trust from the ones that
// contradict each other. Two ranges may be the same set or table, or have nothing in common; anything else is damage.

import CDatapathABI

struct RestoredSpace {
    enum Kind: Hashable {
        case set(count: UInt32)
        case table(slots: UInt32, width: UInt8)
    }

    struct Region: Hashable {
        /// In words; inside the arena, not empty.
        var range: Range<Int>
        var kind: Kind
    }

    /// Each good region that some record refers to.
    private(set) var regions: Set<Region> = []
    /// The union of the ranges inside the arena that some record refers to, good or not: ascending and apart.
    private(set) var occupied: [Range<UInt32>] = []
    /// Every backend id in a set that can be read, good or not.
    private(set) var namedBackends: Set<UInt32> = []

    private let slotWords: Int

    init(_ contents: MapContents, slotWords: Int) {
        self.slotWords = slotWords
        for record in contents.frontends.values {
            for choice in record.choices {
                // What reaches beyond the arena occupies nothing: one broken record must not take all of it.
                regions.formUnion(Self.regions(of: choice).filter { $0.range.upperBound <= slotWords })
            }
        }
        let ordered = regions.sorted {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        collect(ordered, contents)
        regions.subtract(Self.overlapping(ordered))
        regions = regions.filter { $0.range.upperBound <= contents.slots.count }
    }

    /// Whether the record makes sense by itself and refers to good regions only.
    func trusts(_ record: FrontendRecord) -> Bool {
        guard (DP_FRONTEND_CLUSTER_IP.rawValue...DP_FRONTEND_WILDCARD.rawValue).contains(record.kind.rawValue) else {
            return false
        }
        let saysChanging = UInt32(record.fields.flags) & DP_FRONTEND_CHANGING.rawValue != 0
        guard saysChanging == record.isChanging, trustsPrevious(record.fields.previous) else { return false }
        return [record.fields.internal, record.fields.external].allSatisfy { choice in
            switch dp_action(UInt32(choice.action)) {
            case DP_ACTION_FORWARD:
                choice.set_count > 0 && choice.isWellFormed && Self.regions(of: choice).allSatisfy(regions.contains)
            case DP_ACTION_REJECT, DP_ACTION_DROP:
                choice.set_count == 0 && choice.table_slots == 0
            default:
                false
            }
        }
    }

    /// Absent when nothing is changing; without a set when every slot counts as moved.
    private func trustsPrevious(_ choice: dp_choice) -> Bool {
        switch dp_action(UInt32(choice.action)) {
        case DP_ACTION_FORWARD where choice.set_count > 0:
            choice.isWellFormed && Self.regions(of: choice).allSatisfy(regions.contains)
        case DP_ACTION_FORWARD, DP_ACTION_INVALID:
            choice.set_count == 0 && choice.table_slots == 0
        default:
            false
        }
    }

    static func setRegion(of choice: dp_choice) -> Region? {
        guard choice.set_count > 0 else { return nil }
        return Region(range: choice.setRange, kind: .set(count: choice.set_count))
    }

    static func tableRegion(of choice: dp_choice) -> Region? {
        guard !choice.tableRange.isEmpty else { return nil }
        return Region(
            range: choice.tableRange, kind: .table(slots: choice.table_slots, width: choice.table_width))
    }

    private static func regions(of choice: dp_choice) -> [Region] {
        [setRegion(of: choice), tableRegion(of: choice)].compactMap { $0 }
    }

    private mutating func collect(_ ordered: [Region], _ contents: MapContents) {
        for region in ordered {
            let range = UInt32(region.range.lowerBound)..<UInt32(region.range.upperBound)
            if let last = occupied.last, range.lowerBound <= last.upperBound {
                occupied[occupied.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                occupied.append(range)
            }
            if case .set(let count) = region.kind, region.range.upperBound <= contents.slots.count {
                namedBackends.formUnion(SlotPacking.ids(ofSet: contents.slots[region.range], count: Int(count)))
            }
        }
    }

    /// The regions that share words with another one. `ordered` is by start.
    private static func overlapping(_ ordered: [Region]) -> Set<Region> {
        var bad: Set<Region> = []
        var furthest: Region?
        for region in ordered {
            guard let before = furthest else {
                furthest = region
                continue
            }
            if region.range.lowerBound < before.range.upperBound { bad.formUnion([before, region]) }
            if region.range.upperBound > before.range.upperBound { furthest = region }
        }
        return bad
    }
}

extension dp_choice {
    /// Whether the table, if there is one, has a width that can be read.
    fileprivate var isWellFormed: Bool {
        table_slots == 0 ? table_width == 0 : [1, 2, 4].contains(table_width)
    }
}
