// What went wrong when the kernel refused a netlink request or a namespace call: operation, object, error number, and
// the kernel's own explanation where it sends one. Nothing here decides what to do about it.

import Glibc

/// A refusal by the kernel, or an answer that makes no sense.
///
/// The description is one sentence that an operator can search for:
/// `cannot enter network namespace /run/netns/a: Operation not permitted (1)`.
package struct NetlinkError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was being done, as a verb phrase: `list addresses of`.
    package let operation: String
    /// What it was done to: a path, a socket, `this network namespace`.
    package let object: String
    /// The kernel's error number, positive.
    package let errno: Int32
    /// The kernel's explanation, or ours.
    package let detail: String?

    package init(operation: String, object: String, errno: Int32, detail: String? = nil) {
        self.operation = operation
        self.object = object
        self.errno = errno
        self.detail = detail
    }

    /// The object does not exist, or no longer (ENOENT, and ESRCH from /proc).
    package var isNotFound: Bool { errno == ENOENT || errno == ESRCH }

    /// The process may not do this (EPERM, EACCES).
    package var isPermission: Bool { errno == EPERM || errno == EACCES }

    /// This kernel cannot do it (EOPNOTSUPP).
    package var isUnsupported: Bool { errno == EOPNOTSUPP }

    /// The kernel was built without the subsystem that was asked, or has not loaded it, so that it has nothing of it:
    /// there is no such bus, or nobody on it who understands.
    package var isAbsentSubsystem: Bool { errno == EPROTONOSUPPORT || errno == EOPNOTSUPP || errno == EINVAL }

    package var description: String {
        var text = [CChar](repeating: 0, count: 128)
        _ = unsafe strerror_r(errno, &text, text.count)
        let message = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "cannot \(operation) \(object): \(message) (\(errno))" + (detail.map { ": \($0)" } ?? "")
    }

    /// Takes the error number of the last failed call. To be called at once, before anything else can change it.
    static func last(_ operation: String, _ object: String) -> NetlinkError {
        NetlinkError(operation: operation, object: object, errno: Glibc.errno)
    }
}
