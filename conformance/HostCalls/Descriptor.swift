// A file descriptor that is closed when its last owner lets go of it. A class and not a noncopyable value, since
// tables of a server and its connections hold descriptors in collections. All are close-on-exec.

package import Glibc

/// An open file descriptor.
package final class Descriptor: Sendable {
    /// The number, valid as long as this object lives. For use within HostCalls and as a table key.
    package let number: Int32

    /// Takes ownership of an open descriptor.
    package init(owning number: Int32) {
        self.number = number
    }

    deinit {
        _ = Glibc.close(number)
    }

    /// Standard input, output or error, which closes with the object: ask for each once, or at the very end.
    package static var standardInput: Descriptor { Descriptor(owning: STDIN_FILENO) }
    package static var standardOutput: Descriptor { Descriptor(owning: STDOUT_FILENO) }
    package static var standardError: Descriptor { Descriptor(owning: STDERR_FILENO) }

    /// A connected pair of local stream sockets: one for this process, one to hand to a child.
    package static func pair() throws(CallFailure) -> (own: Descriptor, other: Descriptor) {
        var numbers: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try unsafe checked(socketpair(AF_UNIX, type, 0, &numbers), "socketpair")
        return (Descriptor(owning: numbers[0]), Descriptor(owning: numbers[1]))
    }

    /// Opens a file; `flags` as for open(2), O_CLOEXEC is added.
    package static func open(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(CallFailure) -> Descriptor {
        Descriptor(owning: try checked(unsafe Glibc.open(path, flags | O_CLOEXEC, mode), "open", path))
    }

    /// Reads at most `limit` bytes; an empty array is the end of the file.
    package func read(upTo limit: Int) throws(CallFailure) -> [UInt8] {
        var failure: CallFailure?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            var result: Int
            repeat {
                result = unsafe Glibc.read(number, buffer.baseAddress, limit)
            } while result < 0 && errno == EINTR
            if result < 0 { failure = CallFailure("read", errno: errno) }
            count = max(0, result)
        }
        if let failure { throw failure }
        return bytes
    }

    /// Writes everything, blocking as needed.
    package func write(_ bytes: [UInt8]) throws(CallFailure) {
        var offset = 0
        while offset < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(number, buffer.baseAddress! + offset, buffer.count - offset)
            }
            if written < 0 && errno == EINTR { continue }
            offset += try checked(written, "write")
        }
    }

    /// Writes everything to a stream socket, blocking as needed. A peer that has gone is EPIPE, not a signal.
    package func send(_ bytes: [UInt8]) throws(CallFailure) {
        var offset = 0
        while offset < bytes.count {
            let sent = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(number, buffer.baseAddress! + offset, buffer.count - offset, Int32(MSG_NOSIGNAL))
            }
            if sent < 0 && errno == EINTR { continue }
            offset += try checked(sent, "send")
        }
    }

    /// Waits until the descriptor can be read, has failed, or the time is over; false for the last.
    package func waitReadable(milliseconds: Int32) throws(CallFailure) -> Bool {
        try poll(Int16(POLLIN), milliseconds: milliseconds) != 0
    }

    /// poll(2) on this one descriptor; returns the reported events, 0 when the time is over first.
    package func poll(_ events: Int16, milliseconds: Int32) throws(CallFailure) -> Int16 {
        var entry = pollfd(fd: number, events: events, revents: 0)
        while true {
            let result = unsafe Glibc.poll(&entry, 1, milliseconds)
            if result < 0 && errno == EINTR { continue }
            try checked(result, "poll")
            return entry.revents
        }
    }
}
