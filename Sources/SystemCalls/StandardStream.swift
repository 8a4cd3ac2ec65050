// The two streams that a process writes to, without a buffer: what is written is there at once for a reader at the
// other end of a pipe.

import Glibc

package enum StandardStream: Sendable {
    case output
    case error

    /// Writes all of the text, blocking as needed.
    ///
    /// - Throws: EPIPE when the other end is gone and SIGPIPE is ignored.
    package func write(_ text: String) throws(SystemError) {
        try write(Array(text.utf8))
    }

    /// The same for bytes that are no text.
    package func write(_ bytes: [UInt8]) throws(SystemError) {
        switch self {
        case .output: try writeAll(bytes, to: STDOUT_FILENO, "standard output")
        case .error: try writeAll(bytes, to: STDERR_FILENO, "standard error")
        }
    }
}
