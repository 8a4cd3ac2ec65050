// A thread of one's own, for work that blocks for long and must stay off the concurrency pool, or that must keep
// living because children are tied to the thread that started them.

internal import Glibc

private final class ThreadBody {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

/// Runs `body` on a new detached thread.
package func startThread(_ body: @escaping @Sendable () -> Void) throws(CallFailure) {
    let box = unsafe Unmanaged.passRetained(ThreadBody(body))
    var thread = pthread_t()
    let result = unsafe pthread_create(
        &thread, nil,
        { pointer in
            unsafe Unmanaged<ThreadBody>.fromOpaque(pointer!).takeRetainedValue().run()
            return nil
        }, box.toOpaque())
    if result != 0 {
        unsafe box.release()
        throw CallFailure("pthread_create", errno: result)
    }
    pthread_detach(thread)
}

/// Sleeps the calling thread.
package func pause(milliseconds: UInt32) {
    usleep(milliseconds * 1000)
}
