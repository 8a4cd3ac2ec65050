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
    /// Where cgroup2 is mounted: of several mounts the one that shows most, then the one with the shortest path. Nil if it is
    /// not.
    ///
    /// Reads `/proc/self/mountinfo`, so it answers for this process's mount namespace.
    public static func mountPoint() throws(BPFError) -> String? {
        // A mount on a folder above it hides one, and leaves it in the list.
        mountPoints(in: try readWholeFile("/proc/self/mountinfo")).first { FileSystemType(at: $0) == .cgroup2 }
    }

    /// Whether this process is in the machine's first cgroup namespace, from which all cgroups can be mounted. Its number is
    /// the same everywhere (CGROUP_NS_INIT_INO of linux/nsfs.h).
    public static var isInFirstNamespace: Bool {
        var status = stat()
        return unsafe stat("/proc/self/ns/cgroup", &status) == 0 && status.st_ino == 0xEFFF_FFFB
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

    /// Field 5 of mountinfo is the mount point; the file system's type follows a lone dash (proc_pid_mountinfo(5)). Field 4
    /// is what is mounted, as seen from the root of this process's cgroup namespace: `/`, or above it `/..`, `/../..` and so
    /// on, as in a container that has the node's tree (cgroup_namespaces(7)). Mounts of parts do not count, and of mounts
    /// at one place the last one does.
    package static func mountPoints(in mountInfo: String) -> [String] {
        var levels: [String: Int] = [:]
        for line in mountInfo.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count, fields.count > 4 else { continue }
            levels[unescaped(fields[4])] = fields[dash + 1] == "cgroup2" ? levelsUp(fields[3]) : nil
        }
        return levels.sorted { (-$0.value, $0.key.utf8.count, $0.key) < (-$1.value, $1.key.utf8.count, $1.key) }
            .map(\.key)
    }

    /// How far a path leads up, if that is all it does.
    private static func levelsUp(_ path: Substring) -> Int? {
        let names = path.split(separator: "/")
        return names.allSatisfy { $0 == ".." } ? names.count : nil
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
