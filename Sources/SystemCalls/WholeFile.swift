// Small files that are read, replaced and removed as a whole: those that one process writes while others read, and
// those of /proc and /sys. What is in them is for others to understand.

import Glibc

package enum WholeFile {
    /// The content.
    ///
    /// - Throws: `isNotFound` when there is no file.
    package static func bytes(of path: String) throws(SystemError) -> [UInt8] {
        try Descriptor.open(path, O_RDONLY, "read").readAll(path)
    }

    /// The content as text, with U+FFFD for what is no UTF-8; nil when there is no file.
    package static func text(of path: String) throws(SystemError) -> String? {
        do {
            return String(decoding: try bytes(of: path), as: UTF8.self)
        } catch {
            guard error.isNotFound else { throw error }
            return nil
        }
    }

    /// Writes a file beside the old one and renames it over it: readers see the old one or the new one, and nothing is
    /// left behind when that fails. The file is its owner's alone (0600). Makes the folder (0700), but not its parents.
    package static func replace(_ path: String, with text: String) throws(SystemError) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw .last("make the folder of", path) }
        let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0...UInt32.max))"
        let file = try Descriptor.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600, "create")
        do throws(SystemError) {
            try writeAll(Array(text.utf8), to: file.number, temporary)
            guard unsafe rename(temporary, path) == 0 else { throw SystemError.last("replace", path) }
        } catch {
            _ = unsafe unlink(temporary)
            throw error
        }
    }

    /// - Returns: false when there was none.
    package static func remove(_ path: String) throws(SystemError) -> Bool {
        if unsafe unlink(path) == 0 { return true }
        guard errno == ENOENT else { throw .last("remove", path) }
        return false
    }
}
