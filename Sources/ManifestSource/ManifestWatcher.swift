// Follows a directory of manifests: what it says now, then every change, each as soon as it is complete on disk. One
// thread of its own looks and parses; whoever iterates gets what changed since it last asked, however slow it is.

import Foundation
package import ServiceModel
import Synchronization
import SystemCalls

package struct ManifestWatcher: Sendable {
    private let directory: ManifestDirectory
    private let limits: TextLimits
    private let timing: WatchTiming

    /// Nothing happens before `updates()`.
    package init(path: String, limits: TextLimits = TextLimits(), timing: WatchTiming = WatchTiming()) {
        self.directory = ManifestDirectory(path)
        self.limits = limits
        self.timing = timing
    }

    /// Starts to look. The sequence is for one iterator, never ends by itself, and stops the thread when it is
    /// cancelled or let go. Updates that were not fetched in time become one.
    package func updates() -> ManifestUpdates {
        let (signals, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let mailbox = ManifestMailbox(path: directory.path, signal: continuation)
        let wake = WakeSignal()
        continuation.onTermination = { _ in
            mailbox.stop()
            wake.signal()
        }
        let (directory, limits, timing) = (directory, limits, timing)
        let thread = Thread {
            var scanner = ManifestScanner(directory: directory, limits: limits, timing: timing)
            var reason = WakeReason(names: nil)
            while !mailbox.isStopped {
                let findings = scanner.look(reason.names, at: .now)
                mailbox.put(findings)
                reason = scanner.wait(until: findings.deadline, wake: wake)
            }
        }
        thread.name = "manifests"
        // Yams follows nesting by recursion, up to libyaml's limit of 1000 levels.
        thread.stackSize = 16 << 20
        thread.start()
        return ManifestUpdates(signals: signals, mailbox: mailbox)
    }
}

package struct ManifestUpdates: AsyncSequence, Sendable {
    /// Fires when there may be something to take. Signals that are not fetched in time become one.
    package let signals: AsyncStream<Void>
    let mailbox: ManifestMailbox

    /// What is new since the last call; nil when nothing is. For those who follow the signals themselves.
    package func take() -> SourceUpdate? { mailbox.take() }

    package func makeAsyncIterator() -> Iterator {
        Iterator(signals: signals.makeAsyncIterator(), mailbox: mailbox)
    }

    package struct Iterator: AsyncIteratorProtocol {
        fileprivate var signals: AsyncStream<Void>.Iterator
        fileprivate let mailbox: ManifestMailbox

        /// Nil once the task is cancelled.
        package mutating func next(isolation actor: isolated (any Actor)?) async -> SourceUpdate? {
            while await signals.next(isolation: actor) != nil {
                if let update = mailbox.take() { return update }
            }
            return nil
        }

        package mutating func next() async -> SourceUpdate? { await next(isolation: nil) }
    }
}

/// Between the thread that looks and the task that asks: the state of the manifests, and a signal that it changed.
final class ManifestMailbox: Sendable {
    private struct Content {
        var state = ManifestState()
        var isComplete = false
        var isFirstTold = false
        var problemsTold: [SourceProblem] = []
        var isStopped = false
    }

    private let content = Mutex(Content())
    private let path: String
    private let signal: AsyncStream<Void>.Continuation

    init(path: String, signal: AsyncStream<Void>.Continuation) {
        self.path = path
        self.signal = signal
    }

    var isStopped: Bool { content.withLock { $0.isStopped } }

    func stop() {
        content.withLock { $0.isStopped = true }
    }

    func put(_ findings: ManifestScanner.Findings) {
        content.withLock { content in
            content.state.setProblems(
                directory: findings.directoryProblem, watching: findings.watchProblem, path: path)
            for step in findings.steps {
                switch step {
                case .update(let name, let parsed): content.state.update(file: name, parsed)
                case .suspend(let name): content.state.suspend(file: name)
                case .remove(let name): content.state.remove(file: name)
                }
            }
            if findings.isComplete { content.isComplete = true }
        }
        signal.yield()
    }

    /// Nil when there is nothing new.
    func take() -> SourceUpdate? {
        content.withLock { content in
            let isFirst = content.isComplete && !content.isFirstTold
            let changes = content.isComplete ? content.state.takeChanges() : []
            let problems = content.state.problems
            guard isFirst || !changes.isEmpty || problems != content.problemsTold else { return nil }
            content.isFirstTold = content.isComplete
            content.problemsTold = problems
            return SourceUpdate(changes: changes, problems: problems, isFirst: isFirst)
        }
    }
}
