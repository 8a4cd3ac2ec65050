// Connections that are made before something happens, and asked again afterwards: whether each of them still leads to who
// answered first, who still sees the same client.

import HostCalls
import ProbeProtocol
import World

struct OpenConnection {
    let connection: Connection
    let words: String
    let first: Answer
}

struct OpenConnections {
    private(set) var all: [OpenConnection] = []

    /// Opens some, and has each of them exchange data.
    mutating func open(_ count: Int, _ walk: Walk, from probe: Probe, to address: String, _ port: UInt16) throws {
        for number in 0..<count {
            let connection = try probe.connect(walk.transport, address, port)
            let words = "\(walk) from \(probe.name) to \(address) no. \(number)"
            all.append(OpenConnection(connection: connection, words: words, first: try connection.request()))
        }
    }

    /// What has become of them: a line for each that is lost, or not what it was.
    func changes() -> [String] {
        all.compactMap { entry in
            do {
                let answer = try entry.connection.request()
                return answer == entry.first ? nil : "\(entry.words): \(answer) instead of \(entry.first)"
            } catch {
                return "\(entry.words), at \(entry.first.server): \(error)"
            }
        }
    }

    func close() throws {
        for entry in all { try entry.connection.close() }
    }

    /// By the server that answers.
    var servers: [String: Int] { Dictionary(all.map { ($0.first.server, 1) }) { $0 + $1 } }
}
