// The BPF file system, where maps, programs and links are pinned: is it mounted, mount it, make and empty directories.
// Which names stand for what is decided by whoever pins.

import CLibBPF
import Glibc

/// The kind of file system that a path is on, as far as this library cares.
enum FileSystemType {
    case bpf, cgroup2, other

    init(at path: String) {
        var status = statfs()
        guard unsafe statfs(path, &status) == 0 else {
            self = .other
            return
        }
        switch Int64(status.f_type) {
        case Int64(BPF_FS_MAGIC): self = .bpf
        case Int64(CGROUP2_SUPER_MAGIC): self = .cgroup2
        default: self = .other
        }
    }
}

/// The file system that holds pins.
public enum BPFFileSystem {
    /// Where it is mounted by convention.
    public static let conventionalPath = "/sys/fs/bpf"

    /// Whether a path is on a BPF file system.
    public static func isMounted(at path: String = conventionalPath) -> Bool {
        FileSystemType(at: path) == .bpf
    }

    /// Mounts a BPF file system, readable by root alone, and makes the directory if needed.
    public static func mount(at path: String = conventionalPath) throws(BPFError) {
        try ensureDirectory(path)
        guard unsafe Glibc.mount("bpf", path, "bpf", 0, "mode=0700") == 0 else {
            throw .last("mount the BPF file system at", path)
        }
    }

    /// Makes a directory with its parents; one that exists is fine.
    ///
    /// - Throws: ENOTDIR when a part of the path is something else. On a BPF file system names must not contain a dot.
    public static func ensureDirectory(_ path: String) throws(BPFError) {
        var partial = path.hasPrefix("/") ? "" : "."
        for component in path.split(separator: "/") {
            partial += "/" + component
            if unsafe mkdir(partial, 0o700) == 0 { continue }
            guard errno == EEXIST else { throw .last("make directory", partial) }
        }
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { throw .last("make directory", path) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw BPFError(operation: "make directory", object: path, errno: ENOTDIR)
        }
    }

    /// The names in a directory, sorted; empty if there is no such directory.
    public static func entries(at path: String) throws(BPFError) -> [String] {
        guard let directory = unsafe opendir(path) else {
            if errno == ENOENT { return [] }
            throw .last("list", path)
        }
        defer { _ = unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe kernelName(entry.pointee.d_name)
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes one pin.
    ///
    /// What nothing else holds goes away soon after, not at once: the kernel leaves it to a work queue. To end an
    /// attachment at once, ``BPFLink/detach()`` it first.
    ///
    /// - Returns: false if there was none.
    @discardableResult
    public static func unpin(_ path: String) throws(BPFError) -> Bool {
        if unsafe unlink(path) == 0 { return true }
        guard errno == ENOENT else { throw .last("remove the pin", path) }
        return false
    }

    /// Removes a directory with all pins and directories in it; nothing happens if there is none.
    public static func removeTree(_ path: String) throws(BPFError) {
        for name in try entries(at: path) {
            let child = "\(path)/\(name)"
            if unsafe unlink(child) == 0 || errno == ENOENT { continue }
            guard errno == EISDIR || errno == EPERM else { throw .last("remove the pin", child) }
            try removeTree(child)
        }
        if unsafe rmdir(path) == 0 || errno == ENOENT { return }
        throw .last("remove directory", path)
    }
}
