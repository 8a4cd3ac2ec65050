// Places of frontend records: never two frontends in one, and none used again while a program may still read it.

import Datapath
import DatapathImage
import NetworkTypes
import Testing

@Suite("Places of frontend records")
struct FrontendPlacesTests {
    private let start = ContinuousClock.now
    private let one = FrontendPlacesTests.key(1)
    private let other = FrontendPlacesTests.key(2)

    fileprivate static func key(_ number: UInt16) -> FrontendKey {
        FrontendKey(AddressAndPort(address: IPAddress(ipv4: 0x0a60_0001), port: number), protocol: .tcp)
    }

    private func expect(
        _ places: inout FrontendPlaces, for key: FrontendKey = FrontendPlacesTests.key(9),
        at now: ContinuousClock.Instant, _ wanted: UInt32?
    ) {
        let place = places.take(for: key, at: now)
        #expect(place == wanted)
    }

    @Test("a place that was given up is not used again before the grace period is over")
    func grace() throws {
        var places = FrontendPlaces(capacity: 3, buckets: 4, grace: .seconds(30))
        var buckets = BucketList(count: 4)
        let first = try places.taken(at: start)
        places.settle(one, in: first, at: start, &buckets)
        let second = try places.taken(at: start)
        places.settle(one, in: second, at: start, &buckets)
        expect(&places, at: start + .seconds(29), nil)
        expect(&places, at: start + .seconds(30), first)
        expect(&places, at: start + .seconds(30), nil)
    }

    @Test("places of removed frontends, and of records that nobody saw, come back as well")
    func removal() throws {
        var places = FrontendPlaces(capacity: 3, buckets: 4, grace: .seconds(1))
        var buckets = BucketList(count: 4)
        let first = try places.taken(at: start)
        places.settle(one, in: first, at: start, &buckets)
        places.giveUp(try places.taken(at: start), at: start)
        places.remove(one, at: start, &buckets)
        places.remove(other, at: start, &buckets)
        let later = start + .seconds(1)
        let back = [places.take(for: Self.key(9), at: later), places.take(for: Self.key(9), at: later)]
        #expect(Set(back) == [1, 2])
        expect(&places, at: later, nil)
    }

    @Test("what the maps lead to is taken, what they do not lead to any more is given up")
    func adoption() throws {
        var places = FrontendPlaces(capacity: 5, buckets: 4, grace: .seconds(1))
        var buckets = BucketList(count: 4)
        let (first, second) = (try places.taken(at: start), try places.taken(at: start))
        places.settle(one, in: first, at: start, &buckets)
        places.settle(other, in: second, at: start, &buckets)
        let free = Set<UInt32>(1...4).subtracting([first, second]).sorted()
        places.adopt([one: first, Self.key(3): free[0]], at: start, &buckets)
        expect(&places, at: start, free[1])
        expect(&places, at: start, nil)
        expect(&places, at: start + .seconds(1), second)
        places.remove(Self.key(3), at: start, &buckets)
        expect(&places, at: start + .seconds(1), free[0])
    }

    @Test("a record is at its home if that is free, and else where nobody is at home")
    func homes() throws {
        var places = FrontendPlaces(capacity: 200, buckets: 128, grace: .seconds(1))
        var buckets = BucketList(count: 128)
        let home = places.home(of: one)
        expect(&places, for: one, at: start, home)
        places.settle(one, in: home, at: start, &buckets)
        expect(&places, for: one, at: start, 129)
        places.settle(one, in: 129, at: start, &buckets)
        expect(&places, for: one, at: start, 130)
        expect(&places, for: one, at: start + .seconds(1), home)
    }

    @Test("thousands of changes reuse what there is")
    func manyChanges() throws {
        var places = FrontendPlaces(capacity: 5000, buckets: 4, grace: .seconds(1))
        var buckets = BucketList(count: 4)
        for second in 0..<20 {
            let now = start + .seconds(second)
            for number in 0..<2000 {
                places.settle(Self.key(UInt16(number)), in: try places.taken(at: now), at: now, &buckets)
            }
        }
    }
}

extension FrontendPlaces {
    fileprivate mutating func taken(at now: ContinuousClock.Instant) throws -> UInt32 {
        let place = take(for: FrontendPlacesTests.key(9), at: now)
        return try #require(place)
    }
}
