// One file descriptor with one owner. Everything in this library that the kernel names by a descriptor holds one of
// these, so that no error path can forget to close it. What the descriptor refers to is its holder's business.

import Glibc

/// An owned file descriptor, closed when its owner goes away.
struct Descriptor: ~Copyable, Sendable {
    private let number: Int32

    /// Takes ownership of what a system call or libbpf returned, or throws the error that it returned instead.
    ///
    /// - Parameter result: a descriptor, or a negative error number (libbpf's convention).
    ///
    /// The texts are no autoclosures: one that refers to `self` in an initializer of a noncopyable type makes the
    /// compiler (Swift 6.3) take the assignment of the descriptor for a second one, and close a number that was never
    /// ours.
    init(adopting result: Int32, _ operation: String, _ object: String) throws(BPFError) {
        number = try check(result, operation, object)
    }

    deinit {
        _ = close(number)
    }

    /// Lends the number for the duration of one call. It must not be kept, closed or passed on.
    func withNumber<Result: ~Copyable, Failure: Error>(
        _ body: (Int32) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(number)
    }

    /// Another descriptor for the same thing, with an owner of its own; closed on exec like every other.
    func duplicate(_ object: @autoclosure () -> String) throws(BPFError) -> Descriptor {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw .last("duplicate the descriptor of", object()) }
        return try Descriptor(adopting: copy, "duplicate the descriptor of", object())
    }
}
