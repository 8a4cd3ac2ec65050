// What `sync` measured, for people and as JSON. Times in milliseconds, memory in MiB.

import BenchSupport
import ServiceModel

struct SyncReport: Codable, Sendable {
    struct Agent: Codable, Sendable {
        let startMilliseconds: Double
        let changeMilliseconds: Summary
        let residentMebibytes: Double
        let sharedMebibytes: Double
        let residentAfterChangesMebibytes: Double
        let peakMebibytes: Double

        init(_ figures: AgentBench.Figures) {
            startMilliseconds = figures.startMilliseconds
            changeMilliseconds = Samples(figures.changeMilliseconds).summary
            residentMebibytes = figures.residentMebibytes
            sharedMebibytes = figures.sharedMebibytes
            residentAfterChangesMebibytes = figures.residentAfterChangesMebibytes
            peakMebibytes = figures.peakMebibytes
        }
    }

    let services: Int
    let endpoints: Int
    let algorithm: String
    let planMilliseconds: Summary
    let programMilliseconds: Summary
    let mapsMilliseconds: Summary
    let firstSyncMilliseconds: Summary
    let firstSyncProcessorMilliseconds: Summary
    let longestPieceMilliseconds: Summary
    let changeMilliseconds: Summary
    let agent: Agent?

    init(facts: SyncFacts, times: SyncBench.Times, agent figures: AgentBench.Figures?) {
        services = facts.services
        endpoints = facts.endpoints
        algorithm = facts.algorithm.rawValue
        planMilliseconds = Samples(times.plan).summary
        programMilliseconds = Samples(times.program).summary
        mapsMilliseconds = Samples(times.maps).summary
        firstSyncMilliseconds = Samples(times.whole).summary
        firstSyncProcessorMilliseconds = Samples(times.processor).summary
        longestPieceMilliseconds = Samples(times.longestPiece).summary
        changeMilliseconds = Samples(times.change).summary
        agent = figures.map { Agent($0) }
    }

    var text: String {
        var table = TextTable(
            "\(services) services x \(endpoints) endpoints, \(algorithm)", "median", "min", "max", "p99", "bar")
        func add(_ name: String, _ summary: Summary, digits: Int, bar: String) {
            let cells = [summary.median, summary.min, summary.max, summary.p99].map { fixed($0, digits) }
            table.add(name, cells[0], cells[1], cells[2], cells[3], bar)
        }
        add("first sync, facts to last frontend, ms", firstSyncMilliseconds, digits: 0, bar: "300")
        add("  of which planning", planMilliseconds, digits: 0, bar: "")
        add("  of which image and maps", programMilliseconds, digits: 0, bar: "")
        add("  of which writing the maps alone", mapsMilliseconds, digits: 0, bar: "")
        add("  processor time of it all", firstSyncProcessorMilliseconds, digits: 0, bar: "")
        add("  longest piece: what a small change waits for", longestPieceMilliseconds, digits: 1, bar: "")
        add("one endpoint, fact to frontend, ms", changeMilliseconds, digits: 3, bar: "p99 10")
        guard let agent else { return table.text }
        add("one endpoint, file to frontend through the agent, ms", agent.changeMilliseconds, digits: 3, bar: "p99 10")
        table.add("agent: start to last frontend, ms", fixed(agent.startMilliseconds), "", "", "", "")
        table.add("agent: resident after the first sync, MiB", fixed(agent.residentMebibytes, 1), "", "", "", "100")
        table.add("  of which shared pages (maps, program)", fixed(agent.sharedMebibytes, 1), "", "", "", "")
        table.add(
            "agent: resident after the changes, MiB", fixed(agent.residentAfterChangesMebibytes, 1), "", "", "", "")
        table.add("agent: most ever, MiB", fixed(agent.peakMebibytes, 1), "", "", "", "")
        return table.text
    }
}
