// Why a system call was refused: what was being done, to which file, and the kernel's error number. What follows from
// it is for the caller to decide.

import Glibc

/// A refusal by the kernel.
package struct SystemError: Error, Hashable, Sendable {
    /// What was being done, as a verb phrase: `open`, `make the folder of`. The name of the call, as its manual page
    /// has it, where there is no path.
    package let operation: String
    /// The file that it was done to; nil for what has no name, such as a socket.
    package let path: String?
    /// The kernel's error number, positive.
    package let errno: Int32

    package init(operation: String, path: String? = nil, errno: Int32) {
        self.operation = operation
        self.path = path
        self.errno = errno
    }

    /// There is no such file (ENOENT).
    package var isNotFound: Bool { errno == ENOENT }

    /// It exists already (EEXIST).
    package var isExists: Bool { errno == EEXIST }

    /// The error number in the words of strerror(3), and the number itself: `Permission denied (13)`.
    package var reason: String {
        // The text is copied before any other call of this thread can change it.
        "\(unsafe String(cString: strerror(errno))) (\(errno))"
    }
}

extension SystemError: CustomStringConvertible {
    /// One sentence that an operator can search for, `cannot open /run/a: Permission denied (13)`; without a path as
    /// perror(3) has it: `connect: Connection refused (111)`.
    package var description: String {
        guard let path else { return "\(operation): \(reason)" }
        return "cannot \(operation) \(path): \(reason)"
    }
}

extension SystemError {
    /// Takes the error number of the last failed call. To be called at once, before anything else can change it.
    static func last(_ operation: String, _ path: String? = nil) -> SystemError {
        SystemError(operation: operation, path: path, errno: Glibc.errno)
    }
}
