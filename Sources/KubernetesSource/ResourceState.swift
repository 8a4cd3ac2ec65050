// How it stands with one resource of the API server, for people and for metrics.

package struct ResourceState: Hashable, Sendable {
    package var activity = Reflector.Activity.waiting
    /// A complete list has been read once.
    package var isSynced = false
    /// Empty before the first list.
    package var resourceVersion = ""
    package var objects = 0
    /// The last thing that went wrong since the resource was in order; nil when it is.
    package var failure: String?
    /// Lists that were begun, streaming ones included.
    package var lists: UInt64 = 0
    /// Watches that were begun after another one ended.
    package var watches: UInt64 = 0
    package var events: UInt64 = 0
    /// Objects and frames with something wrong.
    package var decodeProblems: UInt64 = 0
    /// Answers other than success, and connections that failed.
    package var failures: UInt64 = 0

    package init() {}

    /// Whether people are shown the same; versions and counts change all the time.
    func isShownAs(_ other: ResourceState) -> Bool {
        activity == other.activity && isSynced == other.isSynced && failure == other.failure
    }
}
