// Follows one file: its content whenever it is another one, through renames, symbolic links and ConfigMap volumes, each
// version once its writer is done. One thread of its own looks.

import Foundation
import Synchronization
import SystemCalls

package struct FileWatcher: Sendable {
    package enum News: Hashable, Sendable {
        case content([UInt8])
        /// It cannot be read, or is gone; why.
        case unreadable(String)
    }

    private let path: String
    private let known: [UInt8]
    private let timing: WatchTiming

    /// - Parameter known: the content as it was read last; as long as it is the same, there is no news.
    package init(path: String, known: [UInt8], timing: WatchTiming = WatchTiming()) {
        self.path = path
        self.known = known
        self.timing = timing
    }

    /// Starts to look. The thread ends with the stream. News that is not fetched in time gives way to newer news.
    package func updates() -> AsyncStream<News> {
        let (stream, inbox) = AsyncStream.makeStream(of: News.self, bufferingPolicy: .bufferingNewest(1))
        let wake = WakeSignal()
        let isOver = OverFlag()
        inbox.onTermination = { _ in
            isOver.value.store(true, ordering: .relaxed)
            wake.signal()
        }
        let (path, known, timing) = (path, known, timing)
        let thread = Thread {
            var look = FileLook(path: path, known: known, timing: timing)
            while !isOver.value.load(ordering: .relaxed) {
                let (news, deadline) = look.look(at: .now)
                if let news { inbox.yield(news) }
                look.wait(until: deadline, wake: wake)
            }
        }
        thread.name = "configuration"
        thread.start()
        return stream
    }

    private final class OverFlag: Sendable {
        let value = Atomic(false)
    }
}

/// One look at the file after another. Owned by the watcher's thread.
private struct FileLook: ~Copyable {
    private let directory: ManifestDirectory
    private let timing: WatchTiming
    private var watches: ManifestWatches
    private var told: FileWatcher.News
    private var unreadableSince: ContinuousClock.Instant?

    init(path: String, known: [UInt8], timing: WatchTiming) {
        directory = ManifestDirectory(path)
        self.timing = timing
        watches = ManifestWatches(directory: directory, timing: timing)
        told = .content(known)
    }

    /// What is new, and when to look again even if nothing happens.
    mutating func look(at now: ContinuousClock.Instant) -> (news: FileWatcher.News?, deadline: ContinuousClock.Instant)
    {
        let poll = watches.renew() == nil ? timing.poll : timing.pollBlind
        let current: FileWatcher.News
        do throws(SystemError) {
            let stamp = try FileStamp.of(directory.path)
            let entry = ManifestDirectory.Entry(
                name: PathParts(directory.path).name, path: directory.path, stamp: .success(stamp))
            watches.follow([entry])
            guard !watches.changes.isBeingWritten(entry.name, stamp, at: now) else {
                return (nil, watches.changes.deadline(after: now) ?? now + timing.coalesceAtMost)
            }
            let bytes = try WholeFile.bytes(of: directory.path)
            // A file that was touched while it was read is read again, when its writer is done.
            guard !watches.hasChanged(entry.name) else { return (nil, now + timing.coalesceAtMost) }
            unreadableSince = nil
            current = .content(bytes)
        } catch {
            // Whoever replaces a file by deleting it first has a moment for it.
            let since = unreadableSince ?? now
            unreadableSince = since
            guard since + timing.fileGone <= now else { return (nil, since + timing.fileGone) }
            current = .unreadable("cannot be read: \(error.words)")
        }
        guard current != told else { return (nil, now + poll) }
        told = current
        return (current, now + poll)
    }

    mutating func wait(until deadline: ContinuousClock.Instant, wake: WakeSignal) {
        _ = watches.wait(until: deadline, wake: wake)
    }
}
