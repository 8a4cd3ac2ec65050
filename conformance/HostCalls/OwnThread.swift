// An executor with one thread of its own, on which a task may block as long as it likes: system calls, waiting for
// processes. The concurrency pool has one thread per core, and blocking those stops every other task.

internal import Dispatch
internal import Synchronization

/// Runs jobs in order on its own thread until `finish`.
package final class OwnThread: TaskExecutor {
    private struct Queue {
        var jobs: [UnownedJob] = []
        var finishing = false
    }

    private let queue = Mutex(Queue())
    private let filled = DispatchSemaphore(value: 0)

    package init() throws(CallFailure) {
        try startThread { [self] in serve() }
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.withLock { $0.jobs.append(job) }
        filled.signal()
    }

    /// Ends the thread when all enqueued jobs have run.
    package func finish() {
        queue.withLock { $0.finishing = true }
        filled.signal()
    }

    private func serve() {
        while true {
            filled.wait()
            let job: UnownedJob? = queue.withLock { queue in
                queue.jobs.isEmpty ? nil : queue.jobs.removeFirst()
            }
            if let job {
                unsafe job.runSynchronously(on: asUnownedTaskExecutor())
            } else if queue.withLock({ $0.finishing && $0.jobs.isEmpty }) {
                return
            }
        }
    }
}
