// What the file system knows of a file without reading it: stat(2) with Swift's types. Foundation's file attributes
// lack the change time.

import Glibc

package struct FileStatus: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case regular
        case directory
        case symbolicLink
        /// A pipe, a socket, a device: reading it might never end.
        case other
    }

    package var kind: Kind
    /// Hard links.
    package var links: UInt64
    package var device: UInt64
    package var inode: UInt64
    package var bytes: Int64
    /// Nanoseconds since 1970 of the last change of content, and of the inode: the latter cannot be set back.
    package var modified_ns: Int64
    package var changed_ns: Int64

    package init(
        kind: Kind, links: UInt64, device: UInt64, inode: UInt64, bytes: Int64, modified_ns: Int64, changed_ns: Int64
    ) {
        self.kind = kind
        self.links = links
        self.device = device
        self.inode = inode
        self.bytes = bytes
        self.modified_ns = modified_ns
        self.changed_ns = changed_ns
    }

    /// Of the file at `path`.
    ///
    /// - Parameter followsLink: whether a symbolic link stands for the file behind it, or is a file by itself.
    /// - Throws: `isNotFound` for a link to nowhere as well, if it is followed.
    package static func of(_ path: String, followsLink: Bool = true) throws(SystemError) -> FileStatus {
        var status = stat()
        // The arguments live until the calls return, and the kernel keeps neither.
        let code = followsLink ? unsafe stat(path, &status) : unsafe lstat(path, &status)
        guard code == 0 else { throw .last("look at", path) }
        return FileStatus(status)
    }

    /// Whether there is a file at `path`, not only a link to nowhere. False as well when that cannot be seen.
    package static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    /// Whether both are of one and the same file, by whichever path.
    package func isSameFile(as other: FileStatus) -> Bool {
        device == other.device && inode == other.inode
    }
}

extension FileStatus {
    init(_ status: stat) {
        let kind: Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            case _: .other
            }
        self.init(
            kind: kind, links: UInt64(status.st_nlink), device: UInt64(status.st_dev), inode: UInt64(status.st_ino),
            bytes: Int64(status.st_size), modified_ns: Self.nanoseconds(status.st_mtim),
            changed_ns: Self.nanoseconds(status.st_ctim))
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
