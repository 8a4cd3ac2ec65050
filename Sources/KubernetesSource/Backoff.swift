// How long to wait before a server is asked again: 0.8 s doubling up to 30 s, jittered so that a cluster's nodes do not
// come back all at once (API-8).

package struct Backoff: Sendable {
    private static let first = 0.8
    /// With the jitter of up to once again: 30 s.
    private static let last = 15.0

    private var base = Backoff.first
    private var random: SplitMix

    package init(seed: UInt64) {
        random = SplitMix(state: seed)
    }

    /// The next pause; the one after is up to twice as long.
    package mutating func next() -> Duration {
        defer { base = min(base * 2, Self.last) }
        return .milliseconds(Int64(base * 1000 * Double.random(in: 1..<2, using: &random)))
    }

    package mutating func reset() {
        base = Self.first
    }

    /// A number of seconds from a range, from the same source of chance.
    mutating func seconds(in range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed, so that tests repeat.
struct SplitMix: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
