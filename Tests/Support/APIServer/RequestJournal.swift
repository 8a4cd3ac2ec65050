// Which requests came, for tests that ask what a client does.

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

    /// The oldest are forgotten.
    private static let limit = 10_000
    private let state = Mutex<[Entry]>([])

    package var entries: [Entry] { state.withLock { $0 } }

    package func clear() {
        state.withLock { $0 = [] }
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
