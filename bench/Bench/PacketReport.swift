// The packet benchmark's figures, for people and as JSON.

import BenchSupport

struct PacketReport: Codable, Sendable {
    /// One load of the programs. Nanoseconds for each packet, the restoring taken off; an empty program's cost, the test
    /// run's own included, is in all of them.
    struct Load: Codable, Sendable {
        let bare: Double
        let floor: Double
        let subject: Double
        var ratio: Double { subject / floor }

        /// The least of all rounds: what is more was another's doing.
        init(_ times: PacketTimes) {
            let least = { (values: [Double]) in Samples(values).min }
            bare = least(times.bare)
            let restoring = least(times.empty) - bare
            floor = least(times.floor) - restoring
            subject = least(times.subject) - restoring
        }
    }

    struct Row: Codable, Sendable {
        let name: String
        let bar: Double?
        let emptyNanoseconds: Double
        let floorNanoseconds: Double
        let subjectNanoseconds: Double
        let leastNanoseconds: Double
        let mostNanoseconds: Double
        /// Of the loads' ratios.
        let ratio: Double
        let leastRatio: Double
        let mostRatio: Double
        var isWithinBar: Bool? { bar.map { ratio <= $0 } }
        /// Loads that differ by more than this part of the ratio say nothing about a bar.
        var isQuiet: Bool { mostRatio - leastRatio <= 0.15 * ratio }
        var verdict: String { isQuiet ? isWithinBar.map { $0 ? "" : "missed" } ?? "" : "too noisy" }
    }

    let rows: [Row]

    init(cases: [PacketCase], results: PacketResults) {
        rows = cases.compactMap { packet in
            guard let loads = results[packet.name]?.map(Load.init), !loads.isEmpty else { return nil }
            let ratios = Samples(loads.map(\.ratio))
            let subjects = Samples(loads.map(\.subject))
            return Row(
                name: packet.name, bar: packet.bar, emptyNanoseconds: Samples(loads.map(\.bare)).median,
                floorNanoseconds: Samples(loads.map(\.floor)).median, subjectNanoseconds: subjects.median,
                leastNanoseconds: subjects.min, mostNanoseconds: subjects.max, ratio: ratios.median,
                leastRatio: ratios.min, mostRatio: ratios.max)
        }
    }

    var text: String {
        var table = TextTable(
            "XDP, ns a packet", "empty", "floor", "Martlet", "from", "to", "ratio", "from", "to", "bar", "")
        for row in rows {
            table.add(
                row.name, fixed(row.emptyNanoseconds), fixed(row.floorNanoseconds), fixed(row.subjectNanoseconds),
                fixed(row.leastNanoseconds), fixed(row.mostNanoseconds), fixed(row.ratio, 2),
                fixed(row.leastRatio, 2), fixed(row.mostRatio, 2), row.bar.map { fixed($0, 1) } ?? "",
                row.verdict)
        }
        return table.text
    }
}
