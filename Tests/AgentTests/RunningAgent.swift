// An agent process and what it says: its log, its metrics page, its health.

import HostCalls
import ProbeProtocol
import Testing
import World

struct RunningAgent {
    static let metricsAddress = "127.0.0.1:10249"

    let process: ChildProcess
    /// A probe in the agent's network namespace.
    let host: Probe

    var log: String { process.errorOutput }

    /// Waits for words in the log.
    func says(_ words: String, within limit: Duration = .seconds(40)) throws -> Bool {
        _ = eventually(within: limit, every: .milliseconds(30)) { log.contains(words) || process.exitStatus != nil }
        return log.contains(words)
    }

    /// Stops it as a supervisor does.
    func stop() throws {
        try process.terminate()
        try #require(process.wait(within: .seconds(30)) == .exited(0), "\(log)")
    }

    /// What the agent's HTTP server answers, line by line, the status line first.
    func get(_ path: String) throws -> [String] {
        // The server comes up beside everything else, maybe after the manifests are programmed.
        var opened: Connection?
        _ = eventually(within: .seconds(10), every: .milliseconds(50)) {
            opened = try? host.connect(.tcp, "127.0.0.1", 10249)
            return opened != nil
        }
        let connection = try opened ?? host.connect(.tcp, "127.0.0.1", 10249)
        defer { try? connection.close() }
        return try ask(connection, path)
    }

    /// The same over a connection to any of its servers.
    func ask(_ connection: Connection, _ path: String) throws -> [String] {
        try connection.send("GET \(path) HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r")
        var lines: [String] = []
        while let line = try nextLine(connection) { lines.append(line) }
        return lines
    }

    /// Nil at the end of the stream.
    private func nextLine(_ connection: Connection) throws -> String? {
        do throws(WorldError) {
            let text = try connection.receive(within: .seconds(10)).payload
            return text.hasSuffix("\r") ? String(text.dropLast()) : text
        } catch {
            guard error.refusal?.name == "ENODATA" else { throw error }
            return nil
        }
    }

    /// The samples of the metrics page by name and labels, as they are written there.
    func metrics() throws -> [String: Double] {
        let lines = try get("/metrics")
        guard lines.first == "HTTP/1.1 200 OK" else { throw AgentTrouble(description: "/metrics: \(lines)") }
        var samples: [String: Double] = [:]
        for line in lines.drop(while: { !$0.isEmpty }).dropFirst() where !line.hasPrefix("#") && !line.isEmpty {
            let space = try #require(line.lastIndex(of: " "), "\(line)")
            guard let value = Double(line[line.index(after: space)...]) else { throw AgentTrouble(description: line) }
            samples[String(line[..<space])] = value
        }
        return samples
    }

    func metric(_ name: String) throws -> Double {
        let all = try metrics()
        return try #require(all[name], "no sample \(name)")
    }

    /// Waits until a sample is as wanted.
    func waits(for name: String, within limit: Duration = .seconds(20), _ isWanted: (Double) -> Bool) throws -> Bool {
        eventually(within: limit, every: .milliseconds(100)) {
            // While it repairs its installation on a busy machine, an agent may be too late with an answer.
            (try? metrics())?[name].map(isWanted) ?? false
        }
    }

    /// The entries written to each map since the agent started.
    func written() throws -> [String: Double] {
        let prefix = "martlet_map_entries_written_total{map=\""
        var written: [String: Double] = [:]
        for (name, value) in try metrics() where name.hasPrefix(prefix) {
            written[String(name.dropFirst(prefix.count).dropLast(2))] = value
        }
        return written
    }
}
