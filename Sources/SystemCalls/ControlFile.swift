// The files of kernel file systems through which one gives orders, such as cgroup.procs.

import Glibc

package enum ControlFile {
    /// Gives an order: opens the file, which must be there, and writes all of the text with a single call, since each
    /// call is an order of its own.
    package static func write(_ text: String, to path: String) throws(SystemError) {
        let file = try Descriptor.open(path, O_WRONLY, "open")
        let bytes = Array(text.utf8)
        let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file.number, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw .last("write", path) }
        guard count == bytes.count else { throw SystemError(operation: "write", path: path, errno: EIO) }
    }
}
