// cgroup2: one directory as a place to attach programs to, and the file system that it is in. Which cgroups there
// should be, and which processes belong in them, is not decided here.

import Glibc

/// An open directory of a cgroup2 file system.
public struct CGroup: ~Copyable, Sendable {
    private let descriptor: Descriptor
    /// Where it was opened.
    public let path: String
    /// The kernel's number for the cgroup, as programs and links report it. It is the directory's inode number.
    public let id: UInt64

    /// Opens the cgroup at a path.
    ///
    /// - Throws: `isNotFound` when there is no such directory; EINVAL when it is not in a cgroup2 file system.
    public static func open(_ path: String) throws(BPFError) -> CGroup {
        let opened = unsafe Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        let descriptor = try Descriptor(adopting: opened >= 0 ? opened : -errno, "open cgroup", path)
        guard FileSystemType(at: path) == .cgroup2 else {
            throw .mismatch("open cgroup", path, "it is not in a cgroup2 file system")
        }
        var status = stat()
        guard descriptor.withNumber({ unsafe fstat($0, &status) }) == 0 else { throw .last("read the number of", path) }
        return CGroup(descriptor: descriptor, path: path, id: UInt64(status.st_ino))
    }

    /// Lends the bare descriptor for one call into the kernel; for code inside this package that has no typed way.
    /// The number must not outlive the closure.
    package func withDescriptor<Result: ~Copyable, Failure: Error>(
        _ body: (Int32) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try descriptor.withNumber(body)
    }
}

/// The cgroup2 file system of this machine.
public enum CGroup2 {
    /// Where cgroup2 is mounted; of several mounts the one with the shortest path. Nil if it is not.
    ///
    /// Reads `/proc/self/mountinfo`, so it answers for this process's mount namespace.
    public static func mountPoint() throws(BPFError) -> String? {
        mountPoint(in: try readWholeFile("/proc/self/mountinfo"))
    }

    /// Mounts cgroup2 at a path and makes the directory if needed.
    ///
    /// - Throws: EBUSY when it is mounted there already.
    public static func mount(at path: String) throws(BPFError) {
        try BPFFileSystem.ensureDirectory(path)
        guard unsafe Glibc.mount("none", path, "cgroup2", 0, nil) == 0 else { throw .last("mount cgroup2 at", path) }
    }

    /// The kernel's number for the cgroup at a path.
    public static func id(of path: String) throws(BPFError) -> UInt64 {
        try CGroup.open(path).id
    }

    /// Field 5 of mountinfo is the mount point; the file system's type follows a lone dash (proc_pid_mountinfo(5)).
    /// Only mounts of the whole tree count (field 4 is `/`).
    static func mountPoint(in mountInfo: String) -> String? {
        let points = mountInfo.split(separator: "\n").compactMap { line -> String? in
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count, fields.count > 4,
                fields[dash + 1] == "cgroup2", fields[3] == "/"
            else { return nil }
            return unescaped(fields[4])
        }
        return points.min { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
    }

    /// mountinfo writes blanks and backslashes as three octal digits.
    private static func unescaped(_ field: Substring) -> String {
        var result: [UInt8] = []
        var rest = field.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let code = UInt8(Substring(rest.prefix(3)), radix: 8) else {
                result.append(byte)
                continue
            }
            result.append(code)
            rest = rest.dropFirst(3)
        }
        return String(decoding: result, as: UTF8.self)
    }
}
