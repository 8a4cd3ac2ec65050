// One file descriptor with one owner, and reading and writing all there is through it. What it refers to is its
// holder's business.

import Glibc

/// An owned file descriptor, closed when its owner goes away.
struct Descriptor: ~Copyable, Sendable {
    /// Lent for the duration of one call: not to be kept, closed or passed on.
    let number: Int32

    /// Takes ownership of an open descriptor.
    init(owning number: Int32) {
        self.number = number
    }

    deinit {
        _ = close(number)
    }

    /// Opens a file; O_CLOEXEC is added.
    ///
    /// - Parameter operation: what an error says was being done.
    static func open(
        _ path: String, _ flags: Int32, mode: mode_t = 0, _ operation: String
    ) throws(SystemError) -> Descriptor {
        let number = unsafe Glibc.open(path, flags | O_CLOEXEC, mode)
        guard number >= 0 else { throw .last(operation, path) }
        return Descriptor(owning: number)
    }

    /// Everything until the end. Goes on when interrupted.
    func readAll(_ path: String) throws(SystemError) -> [UInt8] {
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            // The kernel writes at most as many bytes as the array has.
            let count = unsafe read(number, &chunk, chunk.count)
            if count == 0 { return all }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .last("read", path)
            }
            all += chunk.prefix(count)
        }
    }
}

/// Writes everything, blocking as needed, to a descriptor that somebody else owns. Goes on when interrupted.
func writeAll(_ bytes: [UInt8], to number: Int32, _ path: String) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = unsafe rest.withUnsafeBytes { unsafe write(number, $0.baseAddress, $0.count) }
        guard count >= 0 || errno == EINTR else { throw .last("write", path) }
        rest = rest.dropFirst(max(count, 0))
    }
}
