// How many slots a Maglev table has. A prime, at least 100 slots for each backend, so that shares differ by less than
// one percent; and the same prime for neighbouring numbers of backends, since another prime moves every flow.

enum MaglevSize {
    /// The prime for sets of up to so many units: backends, or weights over their greatest common divisor.
    struct Step {
        var units: UInt64
        var slots: UInt32
    }

    /// The smallest primes from 100 x 2^k on. The steps are this wide so that scaling a deployment, or surging it by
    /// a quarter, seldom changes the size: 3 and 4 backends share one, 10 and 13, 20 and 25, 100 and 125.
    ///
    /// From 65 to 512 backends there are more than that: what a removal moves among the *other* backends shrinks only
    /// with the slots for each. Measured for 1 of 100: 1.6 % with 10,007 slots, 1.02 % with 25,601.
    static let steps: [Step] = [
        Step(units: 4, slots: 401), Step(units: 8, slots: 809), Step(units: 16, slots: 1601),
        Step(units: 32, slots: 3203), Step(units: 64, slots: 6421), Step(units: 128, slots: 25601),
        Step(units: 512, slots: 51203), Step(units: 1024, slots: 102_407), Step(units: 2048, slots: 204_803),
        Step(units: 4096, slots: 409_609), Step(units: 8192, slots: 819_229), Step(units: 16384, slots: 1_638_431),
    ]

    /// How far weights may enlarge a table: the size of this many backends for each real one. Beyond it, the lightest
    /// backends' shares become coarse; none is ever without a slot.
    static let mostUnitsPerBackend: UInt64 = 16

    /// The number of slots for a set with these weights. Sets of more than 16,384 units keep the largest prime: then
    /// shares differ by more than one percent.
    static func slots(weights: [UInt32]) -> UInt32 {
        let divisor = max(weights.reduce(0) { greatestCommonDivisor($0, $1) }, 1)
        let sum = weights.reduce(UInt64(0)) { $0 + UInt64($1 / divisor) }
        let units = min(sum, mostUnitsPerBackend * UInt64(weights.count))
        return (steps.first { $0.units >= units } ?? steps[steps.count - 1]).slots
    }

    static func greatestCommonDivisor(_ left: UInt32, _ right: UInt32) -> UInt32 {
        var (a, b) = (left, right)
        while b != 0 { (a, b) = (b, a % b) }
        return a
    }
}
