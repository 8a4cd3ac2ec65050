// What a source of facts tells at once, whichever source it is: files of manifests, or an API server.

package struct SourceUpdate: Hashable, Sendable {
    /// Ordered by kind and name. Empty until everything has been read once.
    package var changes: [FactChange]
    /// All that is wrong now, not only what is new.
    package var problems: [SourceProblem]
    /// This is the first update after everything was read once: the source has synced (SYNC-1).
    package var isFirst: Bool

    /// Whether other services may be known after it than before.
    package var changesServices: Bool {
        changes.contains { change in
            switch change {
            case .service: true
            case .endpointSlice, .node, .serviceCIDR: false
            }
        }
    }

    package init(changes: [FactChange], problems: [SourceProblem], isFirst: Bool) {
        self.changes = changes
        self.problems = problems
        self.isFirst = isFirst
    }
}
