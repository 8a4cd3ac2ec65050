// What came of a soak, for people and as JSON.

import BenchSupport

struct SoakReport: Codable, Sendable {
    struct Row: Codable, Sendable {
        let name: String
        /// At one time.
        let concurrency: Int
        let answered: Int
        let connections: Int
        let slowestMilliseconds: Int
        /// Held UDP sockets that were destroyed with their endpoint, as they should be.
        let cut: Int
        /// By "call ERRNO"; empty is what is wanted.
        let failures: [String: Int]
        let misdirected: Int
        /// The part of `misdirected` that new connections had, by server.
        let strangers: [String: Int]
        let servers: [String: Int]

        var failed: Int { failures.values.reduce(0, +) }
    }

    struct Published: Codable {
        let machine: Machine
        let report: SoakReport
    }

    let changes: Int
    let kills: Int
    let upgrades: Int
    let seconds: Double
    let rows: [Row]

    init(script: SoakScript, rows: [Row], seconds: Double) {
        var counts = (changes: 0, kills: 0, upgrades: 0)
        for step in script.steps {
            switch step {
            case .change: counts.changes += 1
            case .killAgent:
                counts.changes += 1
                counts.kills += 1
            case .upgradeAgent: counts.upgrades += 1
            }
        }
        (changes, kills, upgrades) = counts
        self.rows = rows
        self.seconds = seconds
    }

    /// None failed, none misdirected, and every load did something.
    var isClean: Bool { rows.allSatisfy { $0.failed == 0 && $0.misdirected == 0 && $0.answered > 0 } }

    var text: String {
        var table = TextTable(
            "load", "at once", "answered", "connections", "slowest ms", "cut", "failed", "misdirected")
        for row in rows {
            table.add(
                row.name, "\(row.concurrency)", "\(row.answered)", "\(row.connections)", "\(row.slowestMilliseconds)",
                "\(row.cut)",
                "\(row.failed)", "\(row.misdirected)")
        }
        let total = { (value: (Row) -> Int) in rows.reduce(0) { $0 + value($1) } }
        table.add(
            "all", "\(total(\.concurrency))", "\(total(\.answered))", "\(total(\.connections))", "", "\(total(\.cut))",
            "\(total(\.failed))",
            "\(total(\.misdirected))")
        var lines = [
            "\(changes) changes of endpoints, \(kills) kills with restart, \(upgrades) upgrade, "
                + "\(fixed(seconds)) s",
            table.text,
        ]
        for row in rows {
            for (failure, count) in row.failures.sorted(by: { $0.key < $1.key }) {
                lines.append("failed: \(row.name): \(failure), \(count) times")
            }
            for (server, count) in row.strangers.sorted(by: { $0.key < $1.key }) {
                lines.append("misdirected: \(row.name): \(count) answers by \(server), which was in no set")
            }
        }
        return lines.joined(separator: "\n")
    }
}
