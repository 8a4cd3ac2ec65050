// What stands in front of the hash of frontends: buckets of two places each, that the programs read without a call
// (dp_frontend_bucket in bpf/abi/frontends.h). A frontend is in its bucket unless two others are; those that found it full
// wait for one to leave. A bucket with room therefore says for certain that a frontend does not exist, and a bucket is
// never seen half changed, since it is one word.

package import BPF
import CDatapathABI
package import DatapathImage

/// The buckets, wherever they are.
package protocol FrontendBuckets: ~Copyable {
    subscript(bucket: Int) -> UInt64 { get set }
    /// In order.
    var all: [UInt64] { get }
}

package struct FrontendIndex: Sendable {
    private let mask: UInt32
    private let homeShift: UInt32
    /// Frontends that are only in the hash, with their places, by bucket.
    private var waiting: [Int: [FrontendKey: UInt32]] = [:]

    /// How many buckets so many frontends get: at least two for each, so that one in twenty is full and one in a hundred
    /// frontends waits.
    package static func buckets(frontends: UInt32) -> UInt32 {
        var buckets: UInt32 = 2
        while buckets < min(frontends, 1 << 29), UInt64(buckets) < UInt64(frontends) * 2 { buckets *= 2 }
        return buckets
    }

    /// How many of the lowest bits of a bucket's number its home leaves out: the fewest, such that a sixteenth of the
    /// places at least is nobody's home, for those whose home is taken.
    package static func homeShift(buckets: Int, places: Int) -> UInt32 {
        var shift: UInt32 = 0
        while buckets >> shift > 1, buckets >> shift > places - places / 16 - 1 { shift += 1 }
        return shift
    }

    /// - Parameters:
    ///   - buckets: a power of two.
    ///   - places: elements of `frontend_records`.
    package init(buckets: Int, places: Int) {
        mask = UInt32(buckets - 1)
        homeShift = Self.homeShift(buckets: buckets, places: places)
    }

    /// Tells the programs how big index and records are.
    package static func setConstants(
        of object: inout BPFObject, buckets: UInt32, places: UInt32
    ) throws(BPFError) {
        try object.setConstant("frontend_index_mask", buckets - 1)
        try object.setConstant(
            "frontend_home_shift", homeShift(buckets: Int(buckets), places: Int(places)))
        try object.setConstant("loads_are_ordered", UInt8(loadsAreOrdered ? 1 : 0))
    }

    private static var loadsAreOrdered: Bool {
        #if arch(x86_64)
            true
        #else
            false
        #endif
    }

    private func bucket(of key: FrontendKey) -> Int {
        Int(dp_frontend_bucket(key.fields) & mask)
    }

    /// Where the frontend's record is found fastest.
    package func home(of key: FrontendKey) -> UInt32 {
        dp_frontend_home(dp_frontend_bucket(key.fields) & mask, homeShift)
    }

    /// The first place that is nobody's home.
    package var firstHomeless: UInt32 { dp_frontend_home(mask, homeShift) + 1 }

    /// The frontend, which was at `old` or nowhere, is at `place` now; the hash says so already.
    package mutating func settle(
        _ key: FrontendKey, from old: UInt32?, in place: UInt32, _ buckets: inout (some FrontendBuckets & ~Copyable)
    ) {
        let bucket = bucket(of: key)
        guard waiting[bucket]?[key] == nil else {
            waiting[bucket]?[key] = place
            return
        }
        var pair = Pair(buckets[bucket])
        if let old, pair.replace(old, by: place) || pair.replace(0, by: place) {
            buckets[bucket] = pair.word
        } else if old == nil, pair.replace(0, by: place) {
            buckets[bucket] = pair.word
        } else {
            waiting[bucket, default: [:]][key] = place
        }
    }

    /// The frontend, which was at `place`, is gone; the hash says so already.
    package mutating func remove(
        _ key: FrontendKey, from place: UInt32, _ buckets: inout (some FrontendBuckets & ~Copyable)
    ) {
        let bucket = bucket(of: key)
        if waiting[bucket]?[key] != nil {
            stopWaiting(key, bucket)
            return
        }
        var pair = Pair(buckets[bucket])
        let next = waiting[bucket]?.first
        guard pair.replace(place, by: next?.value ?? 0) else { return }
        buckets[bucket] = pair.word
        if let next { stopWaiting(next.key, bucket) }
    }

    private mutating func stopWaiting(_ key: FrontendKey, _ bucket: Int) {
        waiting[bucket]?[key] = nil
        if waiting[bucket]?.isEmpty == true { waiting[bucket] = nil }
    }

    /// Makes the buckets say what the hash says. Whoever is in its bucket already stays there.
    package mutating func adopt(_ found: [FrontendKey: UInt32], _ buckets: inout (some FrontendBuckets & ~Copyable)) {
        var owners: [Int: [(key: FrontendKey, place: UInt32)]] = [:]
        for (key, place) in found { owners[bucket(of: key), default: []].append((key, place)) }
        waiting = [:]
        for (bucket, word) in buckets.all.enumerated() where word != 0 || owners[bucket] != nil {
            let here = owners[bucket] ?? []
            var pair = Pair(word)
            pair.keep { place in here.contains { $0.place == place } }
            for (key, place) in here where !pair.holds(place) {
                if !pair.replace(0, by: place) { waiting[bucket, default: [:]][key] = place }
            }
            if pair.word != word { buckets[bucket] = pair.word }
        }
    }

    /// One bucket: the first place is the low half.
    private struct Pair {
        private(set) var word: UInt64

        init(_ word: UInt64) { self.word = word }

        private var places: (UInt32, UInt32) {
            get { (UInt32(truncatingIfNeeded: word), UInt32(truncatingIfNeeded: word >> 32)) }
            set { word = UInt64(newValue.0) | UInt64(newValue.1) << 32 }
        }

        func holds(_ place: UInt32) -> Bool { places.0 == place || places.1 == place }

        /// Whether there was one.
        mutating func replace(_ place: UInt32, by other: UInt32) -> Bool {
            if places.0 == place {
                places.0 = other
            } else if places.1 == place {
                places.1 = other
            } else {
                return false
            }
            return true
        }

        mutating func keep(_ isKept: (UInt32) -> Bool) {
            if !isKept(places.0) { places.0 = 0 }
            if !isKept(places.1) || places.1 == places.0 { places.1 = 0 }
        }
    }
}

/// The kernel's buckets, as memory.
package struct MappedBuckets: ~Copyable, FrontendBuckets {
    private var array: MappedArray<UInt64>

    fileprivate init(_ array: consuming MappedArray<UInt64>) {
        self.array = array
    }

    package subscript(bucket: Int) -> UInt64 {
        get { array.read(bucket) }
        set { array.write(bucket, newValue) }
    }

    package var all: [UInt64] { array.read(array.window) }
}

extension FrontendMap {
    /// The whole index.
    package func openIndex() throws(BPFError) -> MappedBuckets {
        MappedBuckets(try MappedArray<UInt64>(index))
    }

    /// The part of the index that these frontends belong to: for one of them a page, which is cheaper than all.
    package func openIndex(for keys: [FrontendKey]) throws(BPFError) -> MappedBuckets {
        let mask = UInt32(buckets - 1)
        let wanted = keys.map { Int(dp_frontend_bucket($0.fields) & mask) }
        guard let first = wanted.min(), let last = wanted.max() else { return try openIndex() }
        return MappedBuckets(try MappedArray<UInt64>(index, window: first..<last + 1))
    }
}
