// What the reconciler has done since it was made: plain numbers, which Telemetry turns into metrics.

package struct ReconcilerCounters: Hashable, Sendable {
    /// Transactions performed, those without any write not counted.
    package var transactions: UInt64 = 0
    /// Entries written, words in the case of `slots`.
    package var written: [StoreError.Map: UInt64] = [:]
    /// Entries removed.
    package var removed: [StoreError.Map: UInt64] = [:]
    /// Calls of the store that failed, in part or as a whole.
    package var failures: [StoreError.Map: UInt64] = [:]
    /// Attempts to write again what had failed.
    package var retries: UInt64 = 0
    /// Ends of grace periods.
    package var reclaims: UInt64 = 0
    package var audits: UInt64 = 0
    /// Entries that were not as they should be, over all audits.
    package var differencesFound: UInt64 = 0
    /// Audits whose repair was written without an error.
    package var repairs: UInt64 = 0

    package init() {}
}
