// What has been asked of API servers, with what result, and how long it took: the numbers behind the metrics that all
// clients of Kubernetes have (rest_client_*).

package import Telemetry

/// What requests are for, as the API's access rules name it.
package enum RequestVerb: String, Hashable, Sendable, CaseIterable {
    case create, list, patch, watch

    /// Of HTTP.
    package var method: String {
        switch self {
        case .list, .watch: "GET"
        case .create: "POST"
        case .patch: "PATCH"
        }
    }
}

package struct RequestStatistics: Hashable, Sendable {
    package struct Kind: Hashable, Sendable {
        package var verb: RequestVerb
        /// `host:port` of the server.
        package var host: String
        /// An HTTP status, or nil when there was no answer.
        package var code: Int?
    }

    package struct Place: Hashable, Sendable {
        /// Of HTTP.
        package var method: String
        package var host: String
    }

    package private(set) var counts: [Kind: UInt64] = [:]
    /// Seconds until the head of the answer was there, or until it was known that none comes.
    package private(set) var durations: [Place: Histogram] = [:]

    package init() {}

    package mutating func note(_ verb: RequestVerb, host: String, code: Int?, took: Duration) {
        counts[Kind(verb: verb, host: host, code: code), default: 0] += 1
        // The buckets of Kubernetes' own clients.
        durations[
            Place(method: verb.method, host: host),
            default: Histogram(bounds: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60])
        ].observe(took)
    }
}
