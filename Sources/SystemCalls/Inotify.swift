// inotify(7): who changed which file of a watched directory. Only the descriptor is here; which files to watch, and
// what an event means, is up to its user.

import Glibc

/// An inotify descriptor, closed at the end of its life.
package struct Inotify: ~Copyable {
    /// Negative when the kernel gave none (EMFILE: the user has too many): there are no events then, but waiting works.
    private let descriptor: Int32
    private let failure: SystemError

    package init() {
        descriptor = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        failure = .last("inotify_init1")
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Watches the inode behind `path`. Watching it again gives the same number and replaces the mask. Throws ENOENT,
    /// ENOTDIR (with IN_ONLYDIR), or ENOSPC when the user has too many watches.
    package func add(_ path: String, mask: UInt32) throws(SystemError) -> Int32 {
        guard descriptor >= 0 else { throw failure }
        // The kernel copies the path before the call returns.
        let watch = unsafe inotify_add_watch(descriptor, path, mask)
        guard watch >= 0 else { throw .last("watch", path) }
        return watch
    }

    /// Sleeps until there are events, `wake` is signalled, or `milliseconds` have passed. Returns true for `wake`.
    package func wait(milliseconds: Int32, wake: WakeSignal) -> Bool {
        var descriptors = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        // The array holds exactly the two entries for the length of the call. Negative descriptors are passed over.
        _ = unsafe poll(&descriptors, 2, milliseconds)
        return descriptors[1].revents != 0
    }

    /// All events that are waiting; never blocks.
    package func events() -> [FileEvent] {
        var events: [FileEvent] = []
        // Room for one record with the longest name is the least that the kernel accepts; more saves calls.
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            // The kernel writes at most as many bytes as the array has.
            let count = unsafe read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return events }
            FileEvent.decode(buffer[..<count], into: &events)
        }
    }
}
