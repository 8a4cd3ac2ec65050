// One look at the manifest directory after another: which files to read again, and which are gone. Owned by the
// watcher's thread, and blocks as files do. What the contents mean together is ManifestState's business.

import ServiceModel
import SystemCalls

struct ManifestScanner: ~Copyable {
    typealias Instant = ContinuousClock.Instant

    private let directory: ManifestDirectory
    private let limits: TextLimits
    private let timing: WatchTiming
    private var watches: ManifestWatches
    /// Of what was read last, by name. A file that could not be looked at has the error instead.
    private var seen: [String: Result<FileStamp, SystemError>] = [:]
    private var missingSince: [String: Instant] = [:]
    private var own: FileStamp?
    private var returnedAt: Instant?
    /// The last look at everything left nothing to be read later.
    private var isComplete = false

    init(directory: ManifestDirectory, limits: TextLimits, timing: WatchTiming) {
        self.directory = directory
        self.limits = limits
        self.timing = timing
        self.watches = ManifestWatches(directory: directory, timing: timing)
    }

    /// What one look found.
    struct Findings {
        enum Step {
            case update(String, ManifestContent)
            case suspend(String)
            case remove(String)
        }

        var steps: [Step] = []
        /// Why the directory cannot be read; nil when it can.
        var directoryProblem: String?
        /// Why changes are found late; nil while inotify works.
        var watchProblem: String?
        /// Every file that is there has been read, now or before.
        var isComplete = false
        /// Look again then, even if nothing happens.
        var deadline: Instant
    }

    /// Waits until there is a reason to look again.
    mutating func wait(until deadline: Instant, wake: WakeSignal) -> WakeReason {
        watches.wait(until: deadline, wake: wake)
    }

    /// Looks at the files of these names, or at all (nil; also while not all have been read once, or events may be
    /// missing). Costs two system calls for each file that is looked at and has not changed.
    mutating func look(_ names: Set<String>?, at now: Instant) -> Findings {
        let watchProblem = watches.renew()
        var findings = Findings(
            watchProblem: watchProblem, deadline: now + (watchProblem == nil ? timing.poll : timing.pollBlind))
        let names = isComplete && watchProblem == nil ? names : nil
        let entries: [ManifestDirectory.Entry]
        do throws(SystemError) {
            let stamp = try FileStamp.of(directory.path)
            let isOther = own?.file.isSameFile(as: stamp.file) != true
            if own != nil, isOther { returnedAt = now }
            own = stamp
            entries = isOther ? try directory.entries() : try directory.entries(names)
        } catch {
            findings.directoryProblem = "cannot be read: \(error.words)"
            findings.deadline = now + timing.pollBlind
            returnedAt = now
            missingSince = [:]
            isComplete = false
            return findings
        }
        watches.follow(entries)
        findings.isComplete = isFilled(at: now, &findings)
        for entry in entries { look(at: entry, now, &findings) }
        let candidates = names.map { $0.union(missingSince.keys) } ?? Set(seen.keys)
        lookForMissing(candidates.subtracting(entries.map(\.name)), now, &findings)
        if let deadline = watches.changes.deadline(after: now) { findings.deadline = min(findings.deadline, deadline) }
        if names == nil { isComplete = findings.isComplete }
        return findings
    }

    /// A directory that was not there before is likely to be filled right now.
    private func isFilled(at now: Instant, _ findings: inout Findings) -> Bool {
        guard let returnedAt, returnedAt + timing.fileGoneAfterReturn > now else { return true }
        findings.deadline = min(findings.deadline, returnedAt + timing.fileGoneAfterReturn)
        return false
    }

    private mutating func look(at entry: ManifestDirectory.Entry, _ now: Instant, _ findings: inout Findings) {
        missingSince[entry.name] = nil
        guard seen[entry.name] != entry.stamp else { return }
        if let stamp = try? entry.stamp.get(), watches.changes.isBeingWritten(entry.name, stamp, at: now) {
            findings.isComplete = false
            return
        }
        let bytes = entry.bytes(limits: limits)
        // A file that was touched while it was read is read again, when its writer is done.
        guard !watches.hasChanged(entry.name), Self.isUnchanged(entry) else {
            findings.isComplete = false
            findings.deadline = min(findings.deadline, now + timing.coalesceAtMost)
            return
        }
        seen[entry.name] = entry.stamp
        findings.steps.append(.update(entry.name, entry.content(of: bytes, limits: limits)))
    }

    private static func isUnchanged(_ entry: ManifestDirectory.Entry) -> Bool {
        guard let before = try? entry.stamp.get() else { return true }
        guard let after = try? FileStamp.of(entry.path) else { return false }
        return before == after
    }

    private mutating func lookForMissing(_ absent: Set<String>, _ now: Instant, _ findings: inout Findings) {
        for name in absent where seen[name] != nil {
            let since = missingSince[name] ?? now
            var due = since + timing.fileGone
            if let returnedAt { due = max(due, returnedAt + timing.fileGoneAfterReturn) }
            guard due > now else {
                findings.steps.append(.remove(name))
                seen[name] = nil
                missingSince[name] = nil
                continue
            }
            if missingSince[name] == nil { findings.steps.append(.suspend(name)) }
            missingSince[name] = since
            findings.deadline = min(findings.deadline, due)
        }
    }
}
