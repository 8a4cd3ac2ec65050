// What a refused system call looks like: which call, on what, and why. It is also the error that travels on the
// probe's wire, so that a test sees the errno of a socket in another namespace as if it were its own.

internal import CHostCalls
internal import Glibc

/// A system call that returned an error.
package struct CallFailure: Error, Hashable, Codable, Sendable, CustomStringConvertible {
    /// The call's name as its manual page has it, such as "connect".
    package let call: String
    /// What it was done on: an address, a path, a handle. Empty when the call alone says it.
    package let object: String
    package let errno: Int32
    /// The symbolic name of `errno`, such as "ECONNREFUSED".
    package let name: String

    package init(_ call: String, _ object: String = "", errno: Int32) {
        self.call = call
        self.object = object
        self.errno = errno
        self.name = errorName(errno)
    }

    package var description: String {
        object.isEmpty ? "\(call) failed with \(name)" : "\(call) of \(object) failed with \(name)"
    }
}

/// The symbolic name of an errno value, or "errno N" for a value without one.
package func errorName(_ errno: Int32) -> String {
    guard let name = unsafe host_errno_name(errno) else { return "errno \(errno)" }
    return unsafe String(cString: name)
}

/// The calling thread's errno. Read it directly after the call that set it.
package func lastError() -> Int32 {
    errno
}

/// Turns a result of -1 into a failure that carries errno.
@discardableResult
func checked<Value: FixedWidthInteger & SignedInteger>(
    _ result: Value, _ call: String, _ object: @autoclosure () -> String = ""
) throws(CallFailure) -> Value {
    if result >= 0 { return result }
    let error = errno
    throw CallFailure(call, object(), errno: error)
}
