// What went wrong when the kernel or libbpf refused something: the operation, the object it was about, the error number
// and, where there is one, what libbpf and the verifier had to say. Nothing here decides what to do about it.

import CLibBPF
import Glibc

/// A refusal by the kernel, by libbpf, or by this library's own checks on sizes and types.
///
/// The description is one sentence that an operator can search for, followed by the detail if there is any:
/// `cannot load BPF object sock: Permission denied (13): …`.
public struct BPFError: Error, Sendable, CustomStringConvertible {
    /// What was being done, as a verb phrase: `load BPF object`.
    public let operation: String
    /// What it was done to: a name or a path.
    public let object: String
    /// The positive error number: an errno of the kernel, or one of libbpf's own from 4000 up.
    public let errno: Int32
    /// More of the cause: the library's own explanation, libbpf's messages, or the tail of the verifier's log.
    public let detail: String?

    public init(operation: String, object: String, errno: Int32, detail: String? = nil) {
        self.operation = operation
        self.object = object
        self.errno = errno
        self.detail = detail
    }

    /// The object, key, file or hook does not exist (ENOENT).
    public var isNotFound: Bool { errno == ENOENT }

    /// The process may not do this (EPERM), or the verifier refused the program (EACCES).
    public var isPermission: Bool { errno == EPERM || errno == EACCES }

    /// The map has no room for another element (E2BIG from hashes and arrays, ENOSPC from tries and batches).
    public var isFull: Bool { errno == E2BIG || errno == ENOSPC }

    /// It exists already (EEXIST).
    public var isExists: Bool { errno == EEXIST }

    /// This kernel or this kind of object cannot do it (EOPNOTSUPP, ENOSYS, or the kernel's internal ENOTSUPP, 524).
    public var isUnsupported: Bool { errno == EOPNOTSUPP || errno == ENOSYS || errno == Self.kernelNotSupported }

    public var description: String {
        var sentence = "cannot \(operation) \(object): \(Self.message(for: errno)) (\(errno))"
        if let detail, !detail.isEmpty {
            sentence += ": \(detail)"
        }
        return sentence
    }

    /// ENOTSUPP: internal to the kernel, yet the answer of map types without batch operations.
    static let kernelNotSupported: Int32 = 524

    private static func message(for errno: Int32) -> String {
        if errno == kernelNotSupported {
            return "Operation not supported"
        }
        var text = [CChar](repeating: 0, count: 128)
        _ = unsafe libbpf_strerror(errno, &text, text.count)
        return unsafe text.withUnsafeBufferPointer { unsafe String(cString: $0.baseAddress!) }
    }
}

extension BPFError {
    /// Refuses sizes or types that this library compares before the kernel sees them (EINVAL).
    static func mismatch(_ operation: String, _ object: String, _ detail: String) -> BPFError {
        BPFError(operation: operation, object: object, errno: EINVAL, detail: detail)
    }

    /// Takes the error number of the last failed libc call. To be called at once, before anything else can change it.
    static func last(_ operation: String, _ object: String, detail: String? = nil) -> BPFError {
        BPFError(operation: operation, object: object, errno: Glibc.errno, detail: detail)
    }
}

/// Turns libbpf's convention (a negative error number on failure) into a typed error.
///
/// - Returns: the result, zero or positive.
@discardableResult
func check(
    _ result: Int32, _ operation: @autoclosure () -> String, _ object: @autoclosure () -> String
) throws(BPFError) -> Int32 {
    guard result < 0 else { return result }
    throw BPFError(operation: operation(), object: object(), errno: -result)
}
