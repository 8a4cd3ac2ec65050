// A cgroup to try programs on: a child of this process's own, which only this process ever enters, and which is gone
// afterwards.

import BPF
import Glibc
import SystemCalls

struct ScratchCGroup: ~Copyable {
    let path: String
    private let parent: String

    /// Makes the cgroup, below the one that this process is in.
    ///
    /// - Throws: what the kernel refused; a read-only file system (EROFS) is usual in containers.
    init() throws(BPFError) {
        guard let own = try Self.own() else {
            throw BPFError(
                operation: "make a cgroup below", object: "/proc/self/cgroup", errno: ENOENT,
                detail: "cgroup2 is not mounted")
        }
        let path = "\(own == "/" ? "" : own)/martlet-doctor-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        do {
            try Directory.make(path, mode: 0o755)
        } catch {
            throw BPFError(operation: "make cgroup", object: path, errno: error.errno)
        }
        self.parent = own
        self.path = path
    }

    deinit {
        try? Directory.remove(path)
    }

    /// Runs `body` with this process inside; it is back in its own cgroup afterwards, whatever happens. Sockets made
    /// meanwhile belong to this cgroup for ever.
    func run(_ body: () throws -> Void) throws {
        try Self.move(to: path)
        defer { try? Self.move(to: parent) }
        try body()
    }

    /// The directory of this process's own cgroup; nil when cgroup2 is not mounted, or the process is outside of the
    /// mount.
    static func own() throws(BPFError) -> String? {
        guard let mount = try CGroup2.mountPoint(), let text = try? WholeFile.text(of: "/proc/self/cgroup"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("0::/") })
        else { return nil }
        let inside = line.dropFirst("0::".count)
        guard !inside.hasPrefix("/..") else { return nil }
        let path = inside == "/" ? mount : mount + inside
        if isIn(path) { return path }
        // A container's cgroup namespace begins below the node's tree that is mounted here, and does not say where.
        return CGroupTree.first(below: mount, where: isIn)
    }

    private static func isIn(_ cgroup: String) -> Bool {
        let text = try? WholeFile.text(of: "\(cgroup)/cgroup.procs")
        return text?.split(separator: "\n").contains("\(getpid())") ?? false
    }

    private static func move(to path: String) throws(BPFError) {
        do {
            try ControlFile.write("0", to: "\(path)/cgroup.procs")
        } catch {
            throw BPFError(operation: "enter cgroup", object: path, errno: error.errno)
        }
    }
}
