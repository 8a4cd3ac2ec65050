// What became of a frontend: in force as planned, or not, since when and why.

package import DatapathImage

package struct FrontendStatus: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        /// The map holds what the plan wants.
        case programmed
        /// It does not.
        case failed(reason: String, since: ContinuousClock.Instant, attempts: Int)
    }

    package var key: FrontendKey
    package var state: State
    /// Whether a record is in force: the planned one, or the one before it.
    package var hasRecord: Bool

    package init(key: FrontendKey, state: State, hasRecord: Bool = true) {
        self.key = key
        self.state = state
        self.hasRecord = hasRecord
    }
}

/// The frontends that are not as planned, over time.
struct FailureLog: Sendable {
    private(set) var failed: [FrontendKey: FrontendStatus] = [:]

    /// Compares with what fails now. `attempted` are those of them that were tried again just now; `hasRecord` says which
    /// of them have a record in force. Returns what is new.
    mutating func update(
        _ reasons: [FrontendKey: String], attempted: Set<FrontendKey>, at now: ContinuousClock.Instant,
        hasRecord: (FrontendKey) -> Bool
    ) -> (failed: [FrontendStatus], recovered: [FrontendKey]) {
        if reasons.isEmpty, failed.isEmpty { return ([], []) }
        var news: [FrontendStatus] = []
        for (key, reason) in reasons {
            var since = now
            var attempts = 0
            if case .failed(_, let first, let count)? = failed[key]?.state { (since, attempts) = (first, count) }
            if attempts == 0 || attempted.contains(key) { attempts += 1 }
            let status = FrontendStatus(
                key: key, state: .failed(reason: reason, since: since, attempts: attempts), hasRecord: hasRecord(key))
            if failed[key] == nil { news.append(status) }
            failed[key] = status
        }
        let recovered = failed.keys.filter { reasons[$0] == nil }
        for key in recovered { failed[key] = nil }
        return (news.sorted { $0.key < $1.key }, recovered.sorted())
    }
}
