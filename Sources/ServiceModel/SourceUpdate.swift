// What a source of facts tells at once, whichever source it is: files of manifests, or an API server.

package struct SourceUpdate: Hashable, Sendable {
    /// Ordered by kind and name. Empty until everything has been read once.
    package var changes: [FactChange]
    /// All that is wrong now, not only what is new.
    package var problems: [SourceProblem]
    /// This is the first update after everything was read once: the source has synced (SYNC-1).
    package var isFirst: Bool

    package init(changes: [FactChange], problems: [SourceProblem], isFirst: Bool) {
        self.changes = changes
        self.problems = problems
        self.isFirst = isFirst
    }
}
