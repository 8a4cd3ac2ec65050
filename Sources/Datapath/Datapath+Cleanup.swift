// Taking a datapath down: the one operation after which Martlet translates nothing any more. What was pinned is
// detached and removed piece by piece, so that a folder that is damaged, half installed or of another build goes as
// well.

import BPF
import Glibc
import SystemCalls

package struct CleanupReport: Hashable, Sendable {
    /// What was removed, in that order: `link connect6`, `map frontends`, `folder /sys/fs/bpf/martlet`.
    package var removed: [String] = []
    /// What could not be removed, with the reason. The rest was removed all the same.
    package var failures: [String] = []
    /// Names in the folder that are not Martlet's and were left, and the folder with them.
    package var foreign: [String] = []

    package init() {}

    package var isEmpty: Bool { removed.isEmpty && failures.isEmpty && foreign.isEmpty }
}

extension Datapath {
    /// Detaches and removes everything that is pinned in a folder.
    ///
    /// The order is that of attaching, reversed: first the hooks that translate (connect, sendmsg), then those that
    /// translate back (getpeername, recvmsg) and clean up (sock_release), so that no socket is sent to a backend whose
    /// replies are not turned back. Devices come before sockets. The clsact of a device that had a filter stays, since
    /// others may have filters in it. Connections that were translated before stay with their backends; unconnected UDP
    /// sockets see their backend's address from then on. Sizes and counters are lost with the maps.
    ///
    /// - Parameter force: also while an agent holds the folder; it will put back what it finds missing.
    /// - Throws: `agentIsRunning` unless `force`; what the kernel refused before anything was removed.
    package static func cleanUp(_ folder: PinFolder, force: Bool = false) throws(DatapathError) -> CleanupReport {
        guard FileStatus.exists(folder.path) else { return CleanupReport() }
        if force, try folder.isHeldByAgent() { return try kernel { () throws(BPFError) in try removeAll(folder) } }
        let lock = try folder.lock()
        defer { withExtendedLifetime(lock) {} }
        return try kernel { () throws(BPFError) in try removeAll(folder) }
    }

    private static func removeAll(_ folder: PinFolder) throws(BPFError) -> CleanupReport {
        var report = CleanupReport()
        for filter in try folder.deviceFilters() {
            report.attempt("filter \(filter.place.name)") { () throws(BPFError) in try filter.remove() }
        }
        let links = try BPFFileSystem.entries(at: folder.links)
        let packets = PacketHook.allCases.reversed().flatMap { hook in
            links.filter { DeviceHook(name: $0)?.hook == hook }
        }
        let known = packets + SocketHook.allCases.reversed().map(\.rawValue).filter(links.contains)
        for name in known + links.filter({ !known.contains($0) }) {
            report.attempt("link \(name)") { () throws(BPFError) in try removeLink("\(folder.path)/links/\(name)") }
        }
        for name in try BPFFileSystem.entries(at: "\(folder.path)/maps") {
            report.attempt("map \(name)") { () throws(BPFError) in
                try BPFFileSystem.unpin("\(folder.path)/maps/\(name)")
            }
        }
        try removeFolders(folder, &report)
        return report
    }

    /// Detaching ends the attachment even if somebody else holds the link.
    private static func removeLink(_ pin: String) throws(BPFError) {
        try BPFLink.open(pinned: pin).detach()
        try BPFFileSystem.unpin(pin)
    }

    /// A folder that is the mount point itself stays (EBUSY), and so does one with other people's pins.
    private static func removeFolders(_ folder: PinFolder, _ report: inout CleanupReport) throws(BPFError) {
        guard report.failures.isEmpty else { return }
        for part in ["filters", "links", "maps"] { _ = try remove("\(folder.path)/\(part)") { $0.isNotFound } }
        report.foreign = try BPFFileSystem.entries(at: folder.path)
        guard report.foreign.isEmpty else { return }
        if try remove(folder.path, unless: { $0.errno == EBUSY || $0.isNotFound }) {
            report.removed.append("folder \(folder.path)")
        }
    }

    /// - Returns: false when the directory stays for a reason that is none of our business.
    private static func remove(
        _ directory: String, unless isHarmless: (SystemError) -> Bool
    ) throws(BPFError) -> Bool {
        do {
            try Directory.remove(directory)
            return true
        } catch {
            guard isHarmless(error) else { throw BPFError(error.operation, error) }
            return false
        }
    }
}

extension CleanupReport {
    fileprivate mutating func attempt(_ name: String, _ body: () throws(BPFError) -> Void) {
        do {
            try body()
            removed.append(name)
        } catch {
            failures.append("\(name): \(error)")
        }
    }
}
