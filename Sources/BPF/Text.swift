// The two small conversions from the kernel's text to Swift's: fixed arrays of characters, and files of /proc and /sys.

import Glibc

/// The text in one of the kernel's fixed character arrays, up to the first zero.
package func kernelName<CharacterArray: BitwiseCopyable>(_ characters: CharacterArray) -> String {
    unsafe withUnsafeBytes(of: characters) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// Everything that a descriptor yields until its end. Retries when interrupted.
private func readAll(
    _ descriptor: borrowing Descriptor, _ object: @autoclosure () -> String
) throws(BPFError) -> [UInt8] {
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65536)
    while true {
        let count = descriptor.withNumber { number in unsafe read(number, &chunk, chunk.count) }
        if count == 0 { return all }
        if count > 0 {
            all += chunk.prefix(count)
            continue
        }
        guard errno == EINTR else { throw .last("read", object()) }
    }
}

/// The text of a small file.
func readWholeFile(_ path: String) throws(BPFError) -> String {
    let opened = unsafe open(path, O_RDONLY | O_CLOEXEC)
    let result = opened >= 0 ? opened : -errno
    let descriptor = try Descriptor(adopting: result, "open", path)
    return String(decoding: try readAll(descriptor, path), as: UTF8.self)
}
