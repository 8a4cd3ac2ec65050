// The scale benchmark's figures, for people and as JSON. Times in milliseconds unless they say otherwise.

import BenchSupport

struct ScaleReport: Codable, Sendable {
    struct Map: Codable, Sendable {
        let name: String
        let bytes: UInt64
    }

    /// One look-up in the small datapath, in the large one, and in the large one with many services in turn. Nanoseconds.
    struct Lookup: Codable, Sendable {
        let name: String
        let small: Summary
        let large: Summary
        let inTurn: Summary
        /// Round by round.
        let ratio: Summary
        /// A ratio that is known no better than by a twentieth says nothing.
        var isQuiet: Bool { ratio.medianError <= 0.05 * ratio.median }

        init(_ name: String, small: [Double], large: [Double], inTurn: [Double]) {
            self.name = name
            self.small = Samples(small).summary
            self.large = Samples(large).summary
            self.inTurn = Samples(inTurn).summary
            ratio = ratios(large, small).summary
        }
    }

    let services: Int
    let backends: Int
    let firstSync: ScaleBench.Span
    let planMilliseconds: Double
    let mapsMilliseconds: Double
    let changeMilliseconds: Summary
    let adopt: ScaleBench.Span
    let restore: ScaleBench.Span
    let compare: ScaleBench.Span
    let maps: [Map]
    let lookups: [Lookup]
    let agent: SyncReport.Agent?

    init(
        _ facts: SyncFacts, _ figures: ScaleBench.Figures, _ lookups: [Lookup], agent: AgentBench.Figures?
    ) {
        services = facts.services
        backends = facts.services * facts.endpoints
        firstSync = figures.sync
        planMilliseconds = figures.plan
        mapsMilliseconds = figures.maps
        changeMilliseconds = Samples(figures.change).summary
        adopt = figures.adopt
        restore = figures.restore
        compare = figures.compare
        maps = figures.mapMemory.map { Map(name: $0.name, bytes: $0.bytes) }.sorted { $0.bytes > $1.bytes }
        self.lookups = lookups
        self.agent = agent.map { SyncReport.Agent($0) }
    }

    var text: String { [timeText, lookupText, memoryText].joined(separator: "\n\n") }

    private var timeText: String {
        var table = TextTable(
            "\(services) services with ClusterIP and NodePort, DSR, \(backends) backends", "ms", "processor ms")
        let add = { (table: inout TextTable, name: String, span: ScaleBench.Span) in
            table.add(name, fixed(span.milliseconds), fixed(span.processor))
        }
        add(&table, "first sync", firstSync)
        table.add("  of which planning", fixed(planMilliseconds))
        table.add("  of which writing the maps", fixed(mapsMilliseconds))
        table.add("one endpoint changes: median", fixed(changeMilliseconds.median, 3))
        table.add("  p99", fixed(changeMilliseconds.p99, 3))
        add(&table, "restart: programs and maps taken over", adopt)
        add(&table, "  image read back", restore)
        add(&table, "  everything planned again and compared", compare)
        guard let agent else { return table.text }
        table.add("agent: start to last frontend, from files", fixed(agent.startMilliseconds))
        table.add("  one endpoint changes, file to frontend: median", fixed(agent.changeMilliseconds.median, 3))
        return table.text
    }

    private var lookupText: String {
        var table = TextTable(
            "look-up, ns", "2 services", "from", "to", "\(services)", "from", "to", "ratio", "half of them in turn")
        for row in lookups {
            table.add(
                row.name, fixed(row.small.median), fixed(row.small.min), fixed(row.small.max), fixed(row.large.median),
                fixed(row.large.min), fixed(row.large.max), row.isQuiet ? fixed(row.ratio.median, 2) : "too noisy",
                fixed(row.inTurn.median))
        }
        return table.text
    }

    private var memoryText: String {
        let mebibytes = { (bytes: UInt64) in fixed(Double(bytes) / 1_048_576, 1) }
        var table = TextTable("memory", "MiB")
        table.add("maps, all", mebibytes(maps.map(\.bytes).reduce(0, +)))
        for map in maps where map.bytes >= 16 << 20 { table.add("  \(map.name)", mebibytes(map.bytes)) }
        guard let agent else { return table.text }
        table.add("agent: resident after the first sync", fixed(agent.residentMebibytes, 1))
        table.add("  of which shared pages (maps, program)", fixed(agent.sharedMebibytes, 1))
        table.add("  most ever", fixed(agent.peakMebibytes, 1))
        return table.text
    }
}
