// What a call of the reconciler has to tell its caller, who logs it and calls again in time.

package import DatapathImage

package struct ReconcilerReport: Sendable {
    /// When `tick(now:)` wants to be called, at the latest.
    package var next: ContinuousClock.Instant?
    /// What the store refused. It is tried again.
    package var errors: [StoreError] = []
    /// Frontends that are not as planned and were so before, or were not there. Ordered.
    package var failed: [FrontendStatus] = []
    /// Frontends that are as planned, or gone, and had failed. Ordered.
    package var recovered: [FrontendKey] = []
    /// What an audit found; nil if there was none.
    package var audit: AuditReport?

    package init() {}
}
