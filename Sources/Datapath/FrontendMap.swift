// The frontends as the programs find them (bpf/lib/frontend.bpf.h): a hash from what is dialled to a place, and an array
// with a record in each place that says whose it is. What an entry leads to counts only if the record is of its key. The
// index in front of the hash repeats what that says; see FrontendIndex.

package import BPF
package import CDatapathABI
package import DatapathImage

/// Element of `frontend_records`.
package typealias PlacedFrontend = ABIRecord<dp_placed_frontend>

extension PlacedFrontend {
    package init(_ key: FrontendKey, _ record: FrontendRecord) {
        var placed = dp_placed_frontend()
        placed.key = key.fields
        placed.frontend = record.fields
        self.init(placed)
    }

    package var key: FrontendKey { FrontendKey(fields.key) }
    package var record: FrontendRecord { FrontendRecord(fields.frontend) }
}

extension FrontendRecord {
    /// Stands for the record of an entry that leads to none of its own. It contradicts itself: nobody ever wants it.
    package static let unreadable = FrontendRecord(dp_frontend())
}

package struct FrontendMap: ~Copyable, Sendable {
    package let places: BPFMap<FrontendKey, UInt32>
    package let index: MapDescriptor
    package let records: MapDescriptor
    /// Elements of `records`.
    package let capacity: Int
    /// Elements of `index`.
    package let buckets: Int

    package init(
        places: consuming BPFMap<FrontendKey, UInt32>, index: consuming MapDescriptor,
        records: consuming MapDescriptor
    ) throws(BPFError) {
        let buckets = Int(try index.info().maxEntries)
        let capacity = Int(try records.info().maxEntries)
        self.places = places
        self.buckets = buckets
        self.capacity = capacity
        self.index = index
        self.records = records
    }

    /// How many frontends there can be.
    package var maxEntries: Int { Int(places.maxEntries) }

    /// Nil when it is no frontend, `unreadable` when it is a broken one.
    package func lookup(_ key: FrontendKey) throws(BPFError) -> FrontendRecord? {
        guard let place = try places.lookup(key) else { return nil }
        guard place > 0, place < capacity else { return .unreadable }
        let window = Int(place)..<Int(place) + 1
        let found = try MappedArray<PlacedFrontend>(records, window: window, access: .readOnly).read(Int(place))
        return found.key == key ? found.record : .unreadable
    }

    /// Calls `body` with every frontend and its place, in no order. The place is nil where the record is `unreadable`.
    ///
    /// Cost: a walk over the hash, and the array's pages mapped once, a mebibyte at a time.
    package func forEach(
        _ body: (FrontendKey, UInt32?, FrontendRecord) throws(BPFError) -> Void
    ) throws(BPFError) {
        let end = UInt32(clamping: capacity)
        var found = try places.entries()
        found.sort { $0.value < $1.value }
        var window = 0..<0
        var array: MappedArray<PlacedFrontend>?
        for (key, place) in found {
            guard place > 0, place < end else {
                try body(key, nil, .unreadable)
                continue
            }
            if !window.contains(Int(place)) {
                window = Int(place)..<min(Int(place) + Self.mappedAtOnce, capacity)
                array = nil
                array = try MappedArray<PlacedFrontend>(records, window: window, access: .readOnly)
            }
            let placed = array?.read(Int(place))
            try placed?.key == key ? body(key, place, placed?.record ?? .unreadable) : body(key, nil, .unreadable)
        }
    }

    /// Records whose pages count as the agent's memory at one time.
    private static let mappedAtOnce = 8192

    /// Every frontend, in no order.
    package func entries() throws(BPFError) -> [(key: FrontendKey, value: FrontendRecord)] {
        var entries: [(key: FrontendKey, value: FrontendRecord)] = []
        try forEach { (key, _, record) throws(BPFError) in entries.append((key, record)) }
        return entries
    }

    package func count() throws(BPFError) -> Int { try places.count() }
}
