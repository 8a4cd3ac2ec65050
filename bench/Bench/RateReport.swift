// The rate benchmark's figures, for people and as JSON.

import BenchSupport

struct RateReport: Codable, Sendable {
    struct Row: Codable, Sendable {
        let name: String
        /// Frames a second that arrived, of each contestant.
        let martlet: Summary
        let redirect: Summary
        /// Of both in the same round.
        let ratio: Summary
        /// Frames that were sent and did not arrive, of a thousand.
        let martletLostPerMille: Double
        let redirectLostPerMille: Double
        /// A ratio that is known no better than by a twentieth says nothing.
        var isQuiet: Bool { ratio.medianError <= 0.05 * ratio.median }
    }

    let frames: Int
    let rows: [Row]

    init(_ plan: RatePlan, _ results: RateResults) {
        frames = plan.frames
        rows = plan.cases.compactMap { rate in
            guard let times = results[rate.name], !times.martlet.isEmpty else { return nil }
            let sent = Double(plan.frames)
            return Row(
                name: rate.name, martlet: Samples(times.martlet).summary, redirect: Samples(times.redirect).summary,
                ratio: ratios(times.martlet, times.redirect).summary,
                martletLostPerMille: Samples(times.martletLost).mean / sent * 1000,
                redirectLostPerMille: Samples(times.redirectLost).mean / sent * 1000)
        }
    }

    var text: String {
        var table = TextTable(
            "million frames a second", "Martlet", "from", "to", "lost ‰", "redirect", "from", "to", "lost ‰", "ratio",
            "from", "to")
        let millions = { (rate: Double) in fixed(rate / 1_000_000, 2) }
        for row in rows {
            table.add(
                row.name, millions(row.martlet.median), millions(row.martlet.min), millions(row.martlet.max),
                fixed(row.martletLostPerMille, 1), millions(row.redirect.median), millions(row.redirect.min),
                millions(row.redirect.max), fixed(row.redirectLostPerMille, 1),
                row.isQuiet ? fixed(row.ratio.median, 2) : "too noisy", fixed(row.ratio.min, 2),
                fixed(row.ratio.max, 2))
        }
        return table.text
    }
}
