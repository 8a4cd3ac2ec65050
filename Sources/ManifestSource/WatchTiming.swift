// How patient the watcher is, in one place with the reasons.

package struct WatchTiming: Hashable, Sendable {
    /// Events closer together than this are looked at together: a directory of files is rarely written one by one.
    package var coalesce: Duration = .milliseconds(2)
    /// But no event waits longer than this for others.
    package var coalesceAtMost: Duration = .milliseconds(50)
    /// How long a writer may be silent before an unclosed file is read (`cat > file` at a terminal).
    package var writerPatience: Duration = .seconds(2)
    /// How long a file must be missing before its objects are: editors replace files by deleting them first.
    package var fileGone: Duration = .milliseconds(500)
    /// The same while a directory that had been away is filled again.
    package var fileGoneAfterReturn: Duration = .seconds(3)
    /// How often to look without any event: changes that inotify does not see (memory-mapped writes, network file
    /// systems, a link further up the path).
    package var poll: Duration = .seconds(10)
    /// The same while the directory is missing, or inotify not to be had.
    package var pollBlind: Duration = .seconds(1)

    package init() {}
}
