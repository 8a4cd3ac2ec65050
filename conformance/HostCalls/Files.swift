// Files and folders of the kernel's own file systems (proc, cgroup2, bpffs), whose rules general file libraries do
// not know: one write is one operation, folders are removed while they still seem to hold files.

internal import CHostCalls
internal import Glibc

/// The whole content of a file as text.
package func readText(_ path: String) throws(CallFailure) -> String {
    let file = try Descriptor.open(path, O_RDONLY)
    var bytes: [UInt8] = []
    while true {
        let part = try file.read(upTo: 65536)
        if part.isEmpty { return String(decoding: bytes, as: UTF8.self) }
        bytes += part
    }
}

/// Writes the text with one call; the file must exist unless `create` is set, which also empties it.
package func writeText(_ text: String, to path: String, create: Bool = false) throws(CallFailure) {
    let file = try Descriptor.open(path, O_WRONLY | (create ? O_CREAT | O_TRUNC : 0), mode: 0o644)
    do {
        try file.write(Array(text.utf8))
    } catch {
        throw CallFailure("write", path, errno: error.errno)
    }
}

package func makeDirectory(_ path: String) throws(CallFailure) {
    try checked(unsafe mkdir(path, 0o755), "mkdir", path)
}

/// Removes an empty folder (a cgroup counts as empty when it has no child and no process).
package func removeDirectory(_ path: String) throws(CallFailure) {
    try checked(unsafe rmdir(path), "rmdir", path)
}

package func removeFile(_ path: String) throws(CallFailure) {
    try checked(unsafe unlink(path), "unlink", path)
}

package func exists(_ path: String) -> Bool {
    unsafe access(path, F_OK) == 0
}

/// Names in a folder without "." and "..", sorted; folders only when asked. Empty when it does not exist.
package func namesIn(_ path: String, foldersOnly: Bool = false) -> [String] {
    guard let folder = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
        let isFolder = unsafe entry.pointee.d_type == UInt8(DT_DIR)
        let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        if name == "." || name == ".." || (foldersOnly && !isFolder) { continue }
        names.append(name)
    }
    return names.sorted()
}

/// Mounts a file system of its own kind, such as "bpf", on an existing folder.
package func mountFileSystem(_ kind: String, on path: String) throws(CallFailure) {
    try checked(unsafe mount(kind, path, kind, 0, nil), "mount", path)
}

/// Detaches a mount; it goes away when its last user does.
package func unmount(_ path: String) throws(CallFailure) {
    try checked(unsafe umount2(path, Int32(MNT_DETACH)), "umount2", path)
}

/// The file that this code was loaded from: the executable, or the library that holds it.
package func imagePath() -> String? {
    guard let path = unsafe host_image_path(#dsohandle) else { return nil }
    return unsafe String(cString: path)
}

/// The path with every symbolic link followed, or nil when it leads nowhere.
package func resolve(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
}
