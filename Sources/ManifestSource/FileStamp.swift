// What tells one version of a manifest file from another without reading it.

package import SystemCalls

package struct FileStamp: Hashable, Sendable {
    /// The path itself is a symbolic link.
    package var isLinked: Bool
    /// Of the file itself, or of the one behind the link.
    package var file: FileStatus

    /// Of the file at `path`, through symbolic links. Throws `isNotFound` for a dangling link as well.
    package static func of(_ path: String) throws(SystemError) -> FileStamp {
        let own = try FileStatus.of(path, followsLink: false)
        guard own.kind == .symbolicLink else { return FileStamp(isLinked: false, file: own) }
        return FileStamp(isLinked: true, file: try FileStatus.of(path))
    }
}
