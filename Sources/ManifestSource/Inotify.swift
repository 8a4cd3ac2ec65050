// inotify(7): who changed which file of a watched directory. Only the descriptor and the decoding of its records are
// here; what an event means is decided in FileChanges. One of the two places of this target that call C with pointers.

import Foundation
import Glibc

/// Something happened to a watched file or directory.
struct FileEvent: Hashable, Sendable {
    var watch: Int32
    var mask: UInt32
    /// Within the watched directory; empty for events of the watched thing itself.
    var name: String

    /// The kernel dropped events: anything may have changed.
    var isOverflow: Bool { mask & UInt32(IN_Q_OVERFLOW) != 0 }
    /// The watch is gone, since its inode is.
    var isWatchGone: Bool { mask & UInt32(IN_IGNORED) != 0 }
}

/// An inotify descriptor, closed at the end of its life.
struct Inotify: ~Copyable {
    /// Negative when the kernel gave none (EMFILE: the user has too many): there are no events then, but waiting works.
    private let descriptor: Int32
    private let failure: SystemError

    init() {
        descriptor = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        failure = SystemError(errno: errno)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Watches the inode behind `path`. Watching it again gives the same number and replaces the mask. Throws ENOENT,
    /// ENOTDIR (with IN_ONLYDIR), or ENOSPC when the user has too many watches.
    func add(_ path: String, mask: UInt32) throws(SystemError) -> Int32 {
        guard descriptor >= 0 else { throw failure }
        // The kernel copies the path before the call returns.
        let watch = unsafe inotify_add_watch(descriptor, path, mask)
        guard watch >= 0 else { throw SystemError(errno: errno) }
        return watch
    }

    /// Sleeps until there are events, `wake` is signalled, or `milliseconds` have passed. Returns true for `wake`.
    func wait(milliseconds: Int32, wake: WakeSignal) -> Bool {
        var descriptors = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: wake.descriptor, events: Int16(POLLIN | POLLHUP), revents: 0),
        ]
        // The array holds exactly the two entries for the length of the call. Negative descriptors are passed over.
        _ = unsafe poll(&descriptors, 2, milliseconds)
        return descriptors[1].revents != 0
    }

    /// All events that are waiting; never blocks.
    func events() -> [FileEvent] {
        var events: [FileEvent] = []
        // Room for one record with the longest name is the least that the kernel accepts; more saves calls.
        var buffer = [UInt8](repeating: 0, count: 16384)
        while true {
            // The kernel writes at most as many bytes as the array has.
            let count = unsafe read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return events }
            Self.decode(buffer[..<count], into: &events)
        }
    }

    /// struct inotify_event: watch, mask, cookie and the name's length, 32 bits each, then the name padded with NUL.
    static func decode(_ bytes: ArraySlice<UInt8>, into events: inout [FileEvent]) {
        var rest = bytes
        while rest.count >= 16 {
            let header = rest.prefix(16)
            let nameLength = Int(word(header, 12))
            rest = rest.dropFirst(16)
            guard rest.count >= nameLength else { return }
            let name = rest.prefix(nameLength).prefix { $0 != 0 }
            events.append(
                FileEvent(
                    watch: Int32(bitPattern: word(header, 0)), mask: word(header, 4),
                    name: String(decoding: name, as: UTF8.self)))
            rest = rest.dropFirst(nameLength)
        }
    }

    /// Little-endian, as is every machine that the datapath is built for.
    private static func word(_ bytes: ArraySlice<UInt8>, _ offset: Int) -> UInt32 {
        let start = bytes.startIndex + offset
        return (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
    }
}

/// A pipe with which another thread ends a wait: its end is seen once the writing side is closed.
struct WakeSignal: Sendable {
    private let pipe = Pipe()

    fileprivate var descriptor: Int32 { pipe.fileHandleForReading.fileDescriptor }

    /// Every wait from now on ends at once. Call it once.
    func signal() {
        try? pipe.fileHandleForWriting.close()
    }
}
