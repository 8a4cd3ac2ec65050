// The connect benchmark's figures, for people and as JSON: each row with its own time, what connect() and close() cost
// above the row it is compared with (round by round), and whether the machine was quiet enough to say so.

import BenchSupport

struct ConnectReport: Codable, Sendable {
    struct Row: Codable, Sendable {
        let name: String
        let connectNanoseconds: Summary
        let closeNanoseconds: Summary
        let comparedWith: String?
        /// Nanoseconds above the row compared with, pairs of the same round.
        let connectMore: Summary?
        let connectRatio: Summary?
        let closeMore: Summary?
        /// False where `connectMore` is known no better than to `noiseLimit`.
        let isQuiet: Bool
    }

    /// Nanoseconds: a difference whose median is less certain than this is not a figure.
    static let noiseLimit = 40.0

    let rows: [Row]

    init(cases: [DialCase], results: DialResults) {
        rows = cases.compactMap { dialled in
            guard let times = results[dialled.name] else { return nil }
            let reference = dialled.baseline.flatMap { results[$0] }
            let more = reference.map { differences(times.connect, $0.connect) }
            return Row(
                name: dialled.name, connectNanoseconds: Samples(times.connect).summary,
                closeNanoseconds: Samples(times.close).summary, comparedWith: dialled.baseline,
                connectMore: more?.summary, connectRatio: reference.map { ratios(times.connect, $0.connect).summary },
                closeMore: reference.map { differences(times.close, $0.close).summary },
                isQuiet: (more?.medianError ?? 0) <= Self.noiseLimit)
        }
    }

    /// Times in nanoseconds.
    var text: String {
        var table = TextTable(
            "connect() on a fresh socket, ns", "median", "min", "max", "more", "+-", "25 %", "75 %", "ratio",
            "close", "more")
        for row in rows {
            let quiet = { (value: Double?) in row.isQuiet ? value.map { fixed($0) } ?? "" : "too noisy" }
            table.add(
                row.name, fixed(row.connectNanoseconds.median), fixed(row.connectNanoseconds.min),
                fixed(row.connectNanoseconds.max), quiet(row.connectMore?.median),
                row.connectMore.map { fixed($0.medianError) } ?? "", row.connectMore.map { fixed($0.low) } ?? "",
                row.connectMore.map { fixed($0.high) } ?? "",
                row.connectRatio.map { fixed($0.median, 2) } ?? "", fixed(row.closeNanoseconds.median),
                row.closeMore.map { fixed($0.median) } ?? "")
        }
        return table.text
    }
}
