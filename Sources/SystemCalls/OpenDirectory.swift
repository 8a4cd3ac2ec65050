// A directory that is held open, and the lock on it through which processes keep out of each other's way (flock(2)).

import Glibc

/// An open directory. It stays the same one whatever is at its path meanwhile. A lock on it ends with this value, and
/// with the process, however it ends.
package struct OpenDirectory: ~Copyable, Sendable {
    package enum Lock: Sendable {
        /// Any number of holders side by side.
        case shared
        /// One holder alone.
        case exclusive
    }

    private let descriptor: Descriptor
    /// Where it was opened.
    package let path: String

    /// - Throws: `isNotFound` when there is nothing; ENOTDIR when it is something else.
    package init(_ path: String) throws(SystemError) {
        descriptor = try Descriptor.open(path, O_RDONLY | O_DIRECTORY, "open")
        self.path = path
    }

    deinit {
        // Given up by name: a child that is just being started holds a copy of the descriptor until it executes.
        unlock()
    }

    /// Takes the lock without waiting.
    ///
    /// - Returns: false when others hold it in a way that does not go together with `lock`.
    package func tryLock(_ lock: Lock) throws(SystemError) -> Bool {
        let wanted =
            switch lock {
            case .shared: LOCK_SH
            case .exclusive: LOCK_EX
            }
        guard flock(descriptor.number, wanted | LOCK_NB) != 0 else { return true }
        guard errno == EWOULDBLOCK else { throw .last("lock", path) }
        return false
    }

    /// Gives the lock up; nothing happens without one.
    package func unlock() {
        _ = flock(descriptor.number, LOCK_UN)
    }

    /// Of what is held, which need not be what is at the path now.
    package func status() throws(SystemError) -> FileStatus {
        var status = stat()
        guard unsafe fstat(descriptor.number, &status) == 0 else { throw .last("look at", path) }
        return FileStatus(status)
    }
}
