// Making and removing one directory. Neither its parents nor what is in it are touched.

import Glibc

package enum Directory {
    /// - Parameter mode: the permissions, less those that the process's umask takes away.
    /// - Throws: `isExists` when there is something by this name.
    package static func make(_ path: String, mode: UInt32) throws(SystemError) {
        guard unsafe mkdir(path, mode) == 0 else { throw .last("make directory", path) }
    }

    /// - Throws: `isNotFound` when there is none; ENOTEMPTY, or EBUSY for a mount point.
    package static func remove(_ path: String) throws(SystemError) {
        guard unsafe rmdir(path) == 0 else { throw .last("remove directory", path) }
    }
}
