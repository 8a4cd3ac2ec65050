// Which network namespaces there are: those that a process lives in, and those that a mount keeps (/run/netns and the
// folders of container runtimes). Namespaces that only a descriptor or a socket keeps alive cannot be found from
// outside.

import Glibc

/// A namespace that was there a moment ago, by its inode and ways to open it.
package struct NamespaceReference: Hashable, Sendable {
    /// The inode number that /proc shows.
    package let inode: UInt64
    /// Where it can be opened: mounts first, then processes; at most ``maxPaths``.
    package fileprivate(set) var paths: [String]

    /// Processes come and go, so a few ways are kept; a namespace with thousands of processes needs no more.
    static let maxPaths = 4

    /// Opens the namespace, and makes sure that it is the one that was found: process numbers are used again.
    ///
    /// - Throws: `isNotFound` when none of the paths leads to it any more.
    package func open() throws(NetlinkError) -> NetworkNamespace {
        var failure = NetlinkError(operation: "open network namespace", object: "net:[\(inode)]", errno: ENOENT)
        for path in paths {
            do throws(NetlinkError) {
                let namespace = try NetworkNamespace.open(path)
                if namespace.inode == inode { return namespace }
            } catch {
                if !error.isNotFound { failure = error }
            }
        }
        throw failure
    }
}

/// All network namespaces that can be found.
package struct NamespaceCensus: Sendable {
    /// One for each namespace, by inode.
    package let namespaces: [NamespaceReference]
    /// How many processes there are whose namespace this process may not see.
    package let unreadableProcesses: Int

    /// Looks through mounts and processes. Some microseconds a process.
    ///
    /// - Parameter root: where /proc is.
    package static func take(proc: String = "/proc") throws(NetlinkError) -> NamespaceCensus {
        var found: [UInt64: NamespaceReference] = [:]
        var unreadable = 0
        func note(_ inode: UInt64, _ path: String) {
            var reference = found[inode] ?? NamespaceReference(inode: inode, paths: [])
            if reference.paths.count < NamespaceReference.maxPaths { reference.paths.append(path) }
            found[inode] = reference
        }
        for (inode, path) in mounted(in: try readText("\(proc)/self/mountinfo")) { note(inode, path) }
        for process in try processes(in: proc) {
            let path = "\(proc)/\(process)/ns/net"
            var status = stat()
            if unsafe stat(path, &status) == 0 {
                note(UInt64(status.st_ino), path)
            } else if errno == EACCES || errno == EPERM {
                unreadable += 1
            }
        }
        return NamespaceCensus(
            namespaces: found.values.sorted { $0.inode < $1.inode }, unreadableProcesses: unreadable)
    }

    /// The namespaces that mounts keep: field 4 of mountinfo is `net:[inode]`, field 5 the path, and the file system's
    /// type after the dash is nsfs (proc_pid_mountinfo(5)). Paths with blanks are passed over.
    static func mounted(in mountInfo: String) -> [(inode: UInt64, path: String)] {
        mountInfo.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 6, fields[3].hasPrefix("net:["), fields[3].hasSuffix("]"), !fields[4].contains("\\"),
                let inode = UInt64(fields[3].dropFirst(5).dropLast())
            else { return nil }
            return (inode, String(fields[4]))
        }
    }

    private static func processes(in proc: String) throws(NetlinkError) -> [Int32] {
        guard let directory = unsafe opendir(proc) else { throw .last("list the processes in", proc) }
        defer { _ = unsafe closedir(directory) }
        var processes: [Int32] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let process = Int32(name) { processes.append(process) }
        }
        return processes.sorted()
    }

    private static func readText(_ path: String) throws(NetlinkError) -> String {
        guard let file = unsafe fopen(path, "re") else { throw .last("read", path) }
        defer { _ = unsafe fclose(file) }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe fread(&chunk, 1, chunk.count, file)
            if count == 0 { break }
            text += chunk.prefix(count)
        }
        guard unsafe ferror(file) == 0 else { throw .last("read", path) }
        return String(decoding: text, as: UTF8.self)
    }
}
