// A thread for one piece of work that must not run on Swift's cooperative pool: because it blocks, or because it
// changes something that belongs to the thread, such as its network namespace.

import Glibc

/// Work on a thread of its own.
package enum DedicatedThread {
    /// Runs `body` on a new thread and waits for it, blocking the calling thread.
    ///
    /// - Throws: EAGAIN when there can be no more threads, and whatever `body` throws.
    package static func run<Value: ~Copyable & Sendable>(
        _ body: @escaping @Sendable () throws(NetlinkError) -> Value
    ) throws(NetlinkError) -> Value {
        let work = Work(body)
        var thread = pthread_t()
        let context = unsafe Unmanaged<Runnable>.passUnretained(work).toOpaque()
        let code = unsafe pthread_create(
            &thread, nil,
            { context in
                unsafe Unmanaged<Runnable>.fromOpaque(context!).takeUnretainedValue().run()
                return nil
            }, context)
        guard code == 0 else { throw NetlinkError(operation: "start", object: "a thread", errno: code) }
        pthread_join(thread, nil)
        return try work.takeResult()
    }
}

/// What a thread does; a class without type parameters, so that a C function can name it.
private class Runnable {
    func run() {}
}

/// The body and then its result. The thread's end comes between the writing and the reading.
private final class Work<Value: ~Copyable>: Runnable {
    private let body: () throws(NetlinkError) -> Value
    private var result: Result<Value, NetlinkError>?

    init(_ body: @escaping () throws(NetlinkError) -> Value) { self.body = body }

    override func run() {
        do throws(NetlinkError) { result = .success(try body()) } catch { result = .failure(error) }
    }

    func takeResult() throws(NetlinkError) -> Value {
        guard let result = result.take() else {
            throw NetlinkError(operation: "run", object: "a thread", errno: ECANCELED)
        }
        return try result.get()
    }
}
