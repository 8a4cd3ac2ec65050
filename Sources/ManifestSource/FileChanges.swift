// Which files somebody is writing right now, from what inotify tells. A file that is written in place must not be read
// half done: it would look as if its last objects had been deleted. Pure: the caller brings the time.

import Glibc
import SystemCalls

struct FileChanges {
    typealias Instant = ContinuousClock.Instant

    private struct Writer {
        var lastWrite: Instant
        /// Only known from the file's creation, which a symbolic or hard link has as well, without ever being closed.
        var onlyCreated: Bool
    }

    private var writers: [String: Writer] = [:]
    /// How long a writer may be silent and keep the file open before it is read all the same.
    private let patience: Duration

    init(patience: Duration) {
        self.patience = patience
    }

    /// Takes note of an event and says whether it is worth looking at the files.
    mutating func note(_ name: String, mask: UInt32, at now: Instant) -> Bool {
        if mask & UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF) != 0 {
            writers[name] = nil
            return true
        }
        if mask & UInt32(IN_MODIFY) != 0 {
            writers[name] = Writer(lastWrite: now, onlyCreated: false)
            return false
        }
        if mask & UInt32(IN_CREATE) != 0 { writers[name] = Writer(lastWrite: now, onlyCreated: true) }
        return true
    }

    /// Whether to leave the file alone for now.
    func isBeingWritten(_ name: String, _ stamp: FileStamp, at now: Instant) -> Bool {
        guard let writer = writers[name], writer.lastWrite + patience > now else { return false }
        return !(writer.onlyCreated && (stamp.isLinked || stamp.file.links > 1))
    }

    /// When the first of the writers has been silent for too long; nil when there are none.
    func deadline(after now: Instant) -> Instant? {
        writers.values.map { $0.lastWrite + patience }.filter { $0 > now }.min()
    }

    mutating func forgetSilent(at now: Instant) {
        writers = writers.filter { $0.value.lastWrite + patience > now }
    }
}
