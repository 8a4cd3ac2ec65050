// Small text files that one process writes and others read at any time: replaced as a whole, readable by their owner
// alone.

import Glibc

/// Why a state file could not be written or read.
package struct StateFileError: Error, Hashable, Sendable, CustomStringConvertible {
    package var operation: String
    package var path: String
    package var reason: String

    package var description: String { "cannot \(operation) state file \(path): \(reason)" }

    /// Takes the reason of the last failed libc call.
    fileprivate static func last(_ operation: String, _ path: String) -> StateFileError {
        let code = errno
        return StateFileError(
            operation: operation, path: path, reason: "\(unsafe String(cString: strerror(code))) (\(code))")
    }
}

enum StateFile {
    /// Writes a file beside the old one and renames it over it. Makes the folder (0700), but not its parents.
    static func replace(_ path: String, with text: String) throws(StateFileError) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        guard unsafe mkdir(folder, 0o700) == 0 || errno == EEXIST else { throw .last("make the folder of", path) }
        let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0...UInt32.max))"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .last("create", temporary) }
        do {
            defer { close(descriptor) }
            try writeAll(Array(text.utf8), to: descriptor, temporary)
        } catch {
            _ = unsafe unlink(temporary)
            throw error
        }
        guard unsafe rename(temporary, path) != 0 else { return }
        let failure = StateFileError.last("replace", path)
        _ = unsafe unlink(temporary)
        throw failure
    }

    /// The whole text; nil when there is no file.
    static func read(_ path: String) throws(StateFileError) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .last("read", path)
        }
        defer { close(descriptor) }
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return String(decoding: all, as: UTF8.self) }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw .last("read", path)
            }
            all += chunk.prefix(count)
        }
    }

    /// - Returns: false when there was none.
    static func remove(_ path: String) throws(StateFileError) -> Bool {
        if unsafe unlink(path) == 0 { return true }
        guard errno == ENOENT else { throw .last("remove", path) }
        return false
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(StateFileError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
            guard count >= 0 || errno == EINTR else { throw .last("write", path) }
            rest = rest.dropFirst(max(count, 0))
        }
    }
}
