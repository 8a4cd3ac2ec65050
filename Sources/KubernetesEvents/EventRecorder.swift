// Brings events to the API server, one after the other and behind everybody's back: whoever has something to tell never
// waits and never fails. While the server is away or refuses, what is too much is dropped, and counted.

import Foundation
package import KubernetesClient
import KubernetesDecoding
package import Logging
import Synchronization

package final class EventRecorder: Sendable {
    package struct Timing: Sendable {
        /// How often a request is made that meets no server, or one that is too busy, and how long to wait in between.
        package var attempts = 12
        package var pause = Duration.seconds(10)
        /// How often series are looked after.
        package var interval = Duration.seconds(10)

        package init() {}
    }

    private let client: APIClient
    private let reporter: EventReporter
    private let timing: Timing
    private let log: Logger
    private let book: Mutex<EventBook>
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation
    /// The last refusal, so that the same one is logged once.
    private let refusal = Mutex("")

    package init(
        client: APIClient, reporter: EventReporter, limits: EventLimits = EventLimits(), timing: Timing = Timing(),
        log: Logger
    ) {
        self.client = client
        self.reporter = reporter
        self.timing = timing
        self.log = log
        book = Mutex(EventBook(limits: limits))
        (signals, signal) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    /// Returns at once. From any thread.
    package func record(_ notice: EventNotice) {
        book.withLock { $0.note(notice, at: Self.now()) }
        signal.yield()
    }

    package var counters: EventCounters { book.withLock { $0.counters } }

    /// Sends what is recorded until the task is cancelled. To be called once.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                while (try? await Task.sleep(for: self.timing.interval)) != nil { self.signal.yield() }
            }
            for await _ in signals {
                book.withLock { $0.tend(at: .now) }
                while !Task.isCancelled, let write = book.withLock({ $0.next() }) {
                    guard let result = await send(write) else { break }
                    book.withLock { $0.finish(write, result, at: .now) }
                }
            }
            group.cancelAll()
        }
    }

    /// Waits until everything is sent or dropped, for so long at most.
    package func flush(within limit: Duration) async {
        let end = ContinuousClock.now + limit
        while !book.withLock({ $0.isIdle }), ContinuousClock.now < end {
            guard (try? await Task.sleep(for: .milliseconds(20))) != nil else { return }
        }
    }

    private static func now() -> EventBook.Moment { EventBook.Moment(instant: .now, date: Date()) }

    // MARK: Sending

    /// Nil when the task was cancelled.
    private func send(_ write: EventWrite) async -> EventWrite.Result? {
        for attempt in 1...timing.attempts {
            let pause: Duration
            do throws(ClientFailure) {
                let answer = try await client.send(
                    write.isNew ? .create : .patch, write.target, write.body(reporter))
                // To its end, so that the connection can be used again.
                let body = await answer.beginning(limit: 64 << 10)
                switch answer.status {
                case 200..<300: return .done
                // An earlier attempt went through, and its answer did not.
                case 409 where write.isNew && attempt > 1: return .done
                case 404 where !write.isNew: return .gone
                case 429, 500...:
                    pause = min(answer.retryAfter ?? timing.pause, .seconds(60))
                default:
                    note(APIStatus(body: body, contentType: answer.contentType, code: answer.status))
                    return .dropped(.refused)
                }
            } catch {
                guard error != .cancelled else { return nil }
                log.debug("an event cannot be sent for now", metadata: ["error": "\(error)"])
                pause = timing.pause
            }
            guard attempt < timing.attempts else { break }
            guard (try? await Task.sleep(for: pause)) != nil else { return nil }
        }
        return .dropped(.unreachable)
    }

    private func note(_ status: APIStatus) {
        let words = "\(status)"
        let isNew = refusal.withLock { last in
            defer { last = words }
            return last != words
        }
        if isNew { log.warning("the API server does not take an event", metadata: ["error": "\(words)"]) }
    }
}
