// Something that the kernel tells about this node, now and whenever it changes. Listening blocks, so it has a thread of its
// own; what fails is begun anew, and whoever listens is told that changes go unnoticed meanwhile. What is followed, and
// what it means, is its users' business.

import Foundation
import Logging
import Netlink
import Synchronization

struct KernelFollower<Value: Equatable & Sendable>: Sendable {
    /// Follows the value until nobody listens any more, or until it cannot. Tells it at first and whenever it may have
    /// changed.
    typealias Follow = @Sendable (_ isOver: () -> Bool, _ tell: (Value) -> Void) throws(NetlinkError) -> Void

    private let subject: String
    private let log: Logger
    private let follow: Follow
    private let firstWait: Duration

    /// - Parameters:
    ///   - subject: what the log calls it: `the node's addresses`.
    ///   - firstWait: after this time, and then twice as long each time, what failed is begun anew.
    init(_ subject: String, log: Logger, firstWait: Duration, follow: @escaping Follow) {
        self.subject = subject
        self.log = log
        self.firstWait = firstWait
        self.follow = follow
    }

    private static var longestWait: Duration { .seconds(30) }

    /// The value whenever it is different from the last time; the first at once, and after every interruption. The
    /// thread ends with the stream. It is in the network namespace of the thread that calls this.
    func updates<News: Sendable>(
        _ value: @escaping @Sendable (Value) -> News, lost: @escaping @Sendable (_ reason: String) -> News
    ) -> AsyncStream<News> {
        let (stream, inbox) = AsyncStream.makeStream(of: News.self)
        let listener = Listener()
        inbox.onTermination = { _ in listener.isGone.store(true, ordering: .relaxed) }
        Thread.detachNewThread {
            run(listener, tell: { inbox.yield(value($0)) }, lost: { inbox.yield(lost($0)) })
            inbox.finish()
        }
        return stream
    }

    private final class Listener: Sendable {
        let isGone = Atomic(false)
    }

    private func run(_ listener: Listener, tell: (Value) -> Void, lost: (String) -> Void) {
        var wait = firstWait
        let isOver = { listener.isGone.load(ordering: .relaxed) }
        while !isOver() {
            var known: Value?
            do throws(NetlinkError) {
                try follow(isOver) { value in
                    wait = firstWait
                    if value != known { tell(value) }
                    known = value
                }
            } catch {
                log.error(
                    "\(subject) cannot be followed; it is tried again",
                    metadata: ["error": "\(error)", "after": "\(wait)"])
                lost("\(error)")
                sleep(wait, isOver)
                wait = min(wait * 2, Self.longestWait)
            }
        }
    }

    private func sleep(_ wait: Duration, _ isOver: () -> Bool) {
        let end = ContinuousClock.now + wait
        while !isOver(), ContinuousClock.now < end {
            let piece = min(end - ContinuousClock.now, kernelPatience)
            Thread.sleep(forTimeInterval: piece / .seconds(1))
        }
    }
}

/// How long a thread that listens to the kernel waits before it looks whether anybody still listens to it.
let kernelPatience = Duration.seconds(1)
