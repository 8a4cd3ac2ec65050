// The index in front of the hash of frontends: read as the programs read it, it says what the hash says after every step.

import CDatapathABI
import Datapath
import DatapathImage
import NetworkTypes
import Testing

/// Buckets in this process.
struct BucketList: FrontendBuckets {
    var all: [UInt64]

    init(count: Int) { all = Array(repeating: 0, count: count) }

    subscript(bucket: Int) -> UInt64 {
        get { all[bucket] }
        set { all[bucket] = newValue }
    }
}

@Suite("The index of frontends")
struct FrontendIndexTests {
    /// As find_frontend in bpf/lib/frontend.bpf.h: the bucket alone, and the hash only where it is full.
    private static func find(
        _ key: FrontendKey, _ buckets: BucketList, records: [UInt32: FrontendKey], hash: [FrontendKey: UInt32]
    ) -> UInt32? {
        let word = buckets.all[Int(dp_frontend_bucket(key.fields)) & (buckets.all.count - 1)]
        let home = FrontendIndex(buckets: buckets.all.count, places: 5000).home(of: key)
        let places = [UInt32(truncatingIfNeeded: word), UInt32(truncatingIfNeeded: word >> 32)]
        if places.contains(home), records[home] == key { return home }
        if let place = places.first(where: { $0 != 0 && records[$0] == key }) { return place }
        return places.contains(0) ? nil : hash[key]
    }

    private static func key(_ number: Int) -> FrontendKey {
        FrontendKey(AddressAndPort(address: IPAddress(ipv4: 0x0a60_0001), port: UInt16(number)), protocol: .tcp)
    }

    @Test("it finds what the hash holds and nothing else, however crowded its buckets are", arguments: [2, 16, 256])
    func agreement(count: Int) {
        var random = SystemRandomNumberGenerator()
        var index = FrontendIndex(buckets: count, places: 5000)
        var buckets = BucketList(count: count)
        var hash: [FrontendKey: UInt32] = [:]
        var records: [UInt32: FrontendKey] = [:]
        let keys = (1...64).map(Self.key)
        for step in 1...4000 {
            let key = keys[Int.random(in: keys.indices, using: &random)]
            if step % 500 == 0 {
                // Another agent takes over, after somebody has written nonsense.
                buckets[step % count] = .random(in: 0...UInt64.max, using: &random)
                index = FrontendIndex(buckets: count, places: 5000)
                index.adopt(hash, &buckets)
            } else if let place = hash[key], Bool.random(using: &random) {
                hash[key] = nil
                index.remove(key, from: place, &buckets)
            } else {
                let place = UInt32(step)
                records[place] = key
                let old = hash.updateValue(place, forKey: key)
                index.settle(key, from: old, in: place, &buckets)
            }
            let wrong = keys.filter { Self.find($0, buckets, records: records, hash: hash) != hash[$0] }
            #expect(wrong.isEmpty, "step \(step)")
            if !wrong.isEmpty { return }
        }
        for (key, place) in hash { index.remove(key, from: place, &buckets) }
        #expect(buckets.all.allSatisfy { $0 == 0 })
    }

    @Test("it has room for two of each frontend, in a power of two of buckets", arguments: [1, 2, 64, 131_072, .max])
    func size(frontends: UInt32) {
        let buckets = FrontendIndex.buckets(frontends: frontends)
        #expect(buckets.nonzeroBitCount == 1 && buckets >= min(frontends, 1 << 29))
    }

    @Test(
        "homes are places, not all of them, and as many as buckets allow",
        arguments: [(2, 3), (4, 3), (16_384, 11_104), (262_144, 164_864), (131_072, 4), (65_536, 1_000_000)])
    func homes(buckets: Int, places: Int) {
        let shift = FrontendIndex.homeShift(buckets: buckets, places: places)
        let homes = buckets >> shift
        #expect(homes >= 1 && homes < places)
        #expect(shift == 0 || homes * 2 >= places - places / 16)
        #expect(FrontendIndex(buckets: buckets, places: places).firstHomeless == UInt32(homes) + 1)
    }
}
