// A file that is written from its beginning on, a part at a time: there is no buffer, so what has been written is there
// for readers at once.

import Glibc

package struct OutputFile: ~Copyable, Sendable {
    private let descriptor: Descriptor
    package let path: String

    /// Makes the file, its owner's alone (0600), or empties the one that is there. A symbolic link at the path is not
    /// followed.
    package init(_ path: String) throws(SystemError) {
        descriptor = try Descriptor.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600, "create")
        self.path = path
    }

    /// Writes all of it, blocking as needed.
    package func write(_ bytes: [UInt8]) throws(SystemError) {
        try writeAll(bytes, to: descriptor.number, path)
    }
}
