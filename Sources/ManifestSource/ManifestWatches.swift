// What to watch so that no change of the manifests goes unseen: the directory, the directory above it (in which it may
// be replaced), and the file behind every symbolic link. Turns events into "look now".

import Glibc
import SystemCalls

/// Why to look again.
struct WakeReason {
    /// The files that the events were about; nil: look at all of them.
    var names: Set<String>?
}

struct ManifestWatches: ~Copyable {
    typealias Instant = ContinuousClock.Instant

    private enum Subject {
        case directory
        case parent
        /// Names of the links to one file.
        case linked(Set<String>)
    }

    private static let directoryMask = UInt32(
        IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF
            | IN_MOVE_SELF)
    private static let fileMask = UInt32(IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)

    private let inotify = Inotify()
    private let path: String
    private let ownName: String
    private let parent: String
    private let timing: WatchTiming
    private var subjects: [Int32: Subject] = [:]
    /// Names with events since the last look, and whether any event since then was a reason to look again.
    private var touched: Set<String> = []
    private var isReason = false
    /// Whether any of them may concern files other than the touched ones.
    private var isEverything = false
    /// Some manifest is, or was, a symbolic link.
    private var hasLinks = false
    private(set) var changes: FileChanges

    init(directory: ManifestDirectory, timing: WatchTiming) {
        let parts = PathParts(directory.path)
        self.path = directory.path
        self.ownName = parts.name
        self.parent = parts.folder
        self.timing = timing
        self.changes = FileChanges(patience: timing.writerPatience)
    }

    /// Watches what is there now; watching the same again costs nothing. Call it before looking, so that nothing falls
    /// in between. Returns what keeps inotify from working, if it does not.
    mutating func renew() -> String? {
        touched = []
        isReason = false
        isEverything = false
        do throws(SystemError) {
            // The directory comes last: for a path such as "." both are the same inode.
            subjects[try inotify.add(parent, mask: Self.directoryMask)] = .parent
            subjects[try inotify.add(path, mask: Self.directoryMask | UInt32(IN_ONLYDIR))] = .directory
        } catch {
            // A single file, or nothing yet: its parent tells. A missing parent is a problem of the path, not of
            // inotify.
            guard ![ENOENT, ENOTDIR, EACCES].contains(error.errno) else { return nil }
            return "changes are found by looking every \(timing.pollBlind), since inotify fails: \(error.words)"
        }
        return nil
    }

    /// Watches the files behind links. Failure is harmless: the poll finds changes as well.
    mutating func follow(_ entries: [ManifestDirectory.Entry]) {
        for entry in entries {
            // A link to nowhere counts: it may lead somewhere after the next event.
            let isLinked = (try? entry.stamp.get())?.isLinked ?? true
            hasLinks = hasLinks || isLinked
            guard isLinked, let watch = try? inotify.add(entry.path, mask: Self.fileMask) else { continue }
            if case .linked(var names) = subjects[watch] {
                names.insert(entry.name)
                subjects[watch] = .linked(names)
            } else if subjects[watch] == nil {
                subjects[watch] = .linked([entry.name])
            }
        }
    }

    /// Whether there was an event about the file since the last look.
    mutating func hasChanged(_ name: String) -> Bool {
        take(at: .now)
        return touched.contains(name)
    }

    /// Waits for a reason to look: an event, `deadline`, or `wake`. Events that follow closely are waited for.
    mutating func wait(until deadline: Instant, wake: WakeSignal) -> WakeReason {
        // Events that came while files were read may be about files that had been read already.
        while !isReason {
            guard Instant.now < deadline, !sleep(until: deadline, wake) else { return WakeReason(names: nil) }
            take(at: .now)
        }
        let now = Instant.now
        let last = now + timing.coalesceAtMost
        var quiet = min(last, now + timing.coalesce)
        while Instant.now < quiet {
            isReason = false
            if sleep(until: quiet, wake) { break }
            take(at: .now)
            if isReason { quiet = min(last, .now + timing.coalesce) }
        }
        changes.forgetSilent(at: .now)
        return WakeReason(names: isEverything ? nil : touched)
    }

    /// Returns true when woken.
    private func sleep(until deadline: Instant, _ wake: WakeSignal) -> Bool {
        let left = deadline - .now
        let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1
        return inotify.wait(milliseconds: Int32(clamping: max(0, milliseconds)), wake: wake)
    }

    private mutating func take(at now: Instant) {
        for event in inotify.events() {
            if event.isOverflow { (isReason, isEverything) = (true, true) }
            guard let subject = subjects[event.watch] else { continue }
            if event.isWatchGone { subjects[event.watch] = nil }
            if note(event, subject, now) { isReason = true }
        }
    }

    /// Whether the event is a reason to look.
    private mutating func note(_ event: FileEvent, _ subject: Subject, _ now: Instant) -> Bool {
        switch subject {
        case .parent where event.name == ownName:
            isEverything = true
            return changes.note(event.name, mask: event.mask, at: now)
        case .directory where ManifestDirectory.isManifest(event.name):
            touched.insert(event.name)
            // What the name was before it was made UTF-8 can only be found in the whole list.
            if event.name.contains("\u{fffd}") { isEverything = true }
            return changes.note(event.name, mask: event.mask, at: now)
        case .parent: return false
        case .directory:
            // The directory itself, or a name that links may lead through, such as `..data`. Without links, other names
            // are those of temporary files.
            let renaming = UInt32(IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE)
            let isReason = event.name.isEmpty || hasLinks && event.mask & renaming != 0
            if isReason { isEverything = true }
            return isReason
        case .linked(let names):
            touched.formUnion(names)
            return names.reduce(false) { changes.note($1, mask: event.mask, at: now) || $0 }
        }
    }
}
