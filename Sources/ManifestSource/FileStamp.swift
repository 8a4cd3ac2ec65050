// What tells one version of a file from another without reading it, and the one system call behind that. Foundation's
// file attributes lack the change time and follow no symbolic links, so stat(2) is called here.

import Glibc

package struct FileStamp: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case regular
        case directory
        /// A pipe, a socket, a device: reading it might never end.
        case other
    }

    package var kind: Kind
    /// The path itself is a symbolic link; everything else here is of the file behind it.
    package var isLinked: Bool
    /// Hard links.
    package var links: UInt64
    package var device: UInt64
    package var inode: UInt64
    package var bytes: Int64
    /// Nanoseconds since 1970 of the last change of content, and of the inode: the latter cannot be set back.
    package var modified_ns: Int64
    package var changed_ns: Int64

    /// Of the file at `path`, through symbolic links. Throws the errno, ENOENT for a dangling link as well.
    package static func of(_ path: String) throws(SystemError) -> FileStamp {
        var status = Glibc.stat()
        // The arguments live until the calls return, and the kernel keeps neither.
        guard unsafe lstat(path, &status) == 0 else { throw SystemError(errno: errno) }
        let isLinked = status.st_mode & S_IFMT == S_IFLNK
        if isLinked {
            guard unsafe stat(path, &status) == 0 else { throw SystemError(errno: errno) }
        }
        let kind: Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            default: .other
            }
        return FileStamp(
            kind: kind, isLinked: isLinked, links: UInt64(status.st_nlink), device: UInt64(status.st_dev),
            inode: UInt64(status.st_ino), bytes: Int64(status.st_size), modified_ns: nanoseconds(status.st_mtim),
            changed_ns: nanoseconds(status.st_ctim))
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// A system call failed.
package struct SystemError: Hashable, Sendable, Error {
    package var errno: Int32

    package init(errno: Int32) {
        self.errno = errno
    }
}

extension SystemError: CustomStringConvertible {
    /// In the words of errno(3) for what happens to files.
    package var description: String {
        switch errno {
        case ENOENT: "there is no such file"
        case EACCES: "permission denied"
        case ENOTDIR: "a part of the path is not a directory"
        case ELOOP: "its symbolic links go in a circle"
        case EISDIR: "it is a directory"
        case EIO: "the device reports an error"
        default: "error number \(errno)"
        }
    }
}
