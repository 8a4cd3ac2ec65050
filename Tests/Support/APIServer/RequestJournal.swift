// Which requests came, for tests that ask what a client does.

import APIServerState
import NIOHTTP1
import Synchronization

package final class RequestJournal: Sendable {
    package struct Entry: Sendable {
        package var method: String
        package var path: String
        package var query: [String: String]
        package var accept: String
        package var isHTTP2: Bool
    }

    /// What somebody may be asked to have a right for: a verb and a resource, as RBAC names them.
    package struct Use: Hashable, Sendable, CustomStringConvertible {
        var user: String
        var verb: Verb
        var endpoint: Endpoint

        package var description: String { "\(verb.rawValue) \(endpoint.group)/\(endpoint.resource.rawValue)" }
    }

    /// The oldest are forgotten.
    private static let limit = 10_000
    private let state = Mutex<[Entry]>([])
    /// Of all requests, with those that are refused.
    private let uses = Mutex<Set<Use>>([])

    package var entries: [Entry] { state.withLock { $0 } }

    package func clear() {
        state.withLock { $0 = [] }
    }

    /// What a user has asked for so far, each once.
    package func uses(by user: String) -> [String] {
        uses.withLock { $0.filter { $0.user == user }.map(\.description).sorted() }
    }

    func note(_ user: User, _ verb: Verb, _ endpoint: Endpoint) {
        uses.withLock { _ = $0.insert(Use(user: user.name, verb: verb, endpoint: endpoint)) }
    }

    func note(_ request: APIRequest) {
        let entry = Entry(
            method: request.method.rawValue, path: request.path, query: request.query,
            accept: request.headers["accept"].joined(separator: ","), isHTTP2: request.isHTTP2)
        state.withLock { entries in
            if entries.count >= Self.limit { entries.removeFirst(Self.limit / 2) }
            entries.append(entry)
        }
    }
}
