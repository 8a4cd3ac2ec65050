// How one thread ends the wait of another that sleeps in the kernel.

import Glibc

/// A pair of connected sockets: the end that is waited at is readable for ever once the other is shut down. Both are
/// closed when the last reference goes away.
package final class WakeSignal: Sendable {
    /// The end to wait at. Negative when the kernel gave none (EMFILE): waits end by their time limits only.
    let descriptor: Int32
    private let otherEnd: Int32

    package init() {
        var ends: [Int32] = [-1, -1]
        // The kernel writes both numbers or none.
        _ = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends)
        (descriptor, otherEnd) = (ends[0], ends[1])
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        close(otherEnd)
    }

    /// Every wait from now on ends at once.
    package func signal() {
        _ = shutdown(otherEnd, Int32(SHUT_WR))
    }
}
