// Making, listing and removing one directory. Neither its parents nor what is in it are touched.

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

    /// The names of all that is in it but `.` and `..`, in no order, as bytes: the kernel knows no encoding.
    package static func names(in path: String) throws(SystemError) -> [[UInt8]] {
        guard let stream = unsafe opendir(path) else { throw .last("list", path) }
        defer { unsafe closedir(stream) }
        var names: [[UInt8]] = []
        while true {
            // Nothing but the error number tells the end from a failure.
            errno = 0
            guard let entry = unsafe readdir(stream) else {
                guard errno == 0 else { throw .last("list", path) }
                return names
            }
            let name = unsafe bytes(ofNameIn: entry)
            if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
        }
    }

    /// The record may end behind the name's NUL, so that the member must not be copied as a whole.
    private static func bytes(ofNameIn entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return [] }
        var rest = unsafe UnsafeRawPointer(entry) + offset
        var name: [UInt8] = []
        while true {
            let byte = unsafe rest.load(as: UInt8.self)
            guard byte != 0 else { return name }
            name.append(byte)
            unsafe rest += 1
        }
    }
}
