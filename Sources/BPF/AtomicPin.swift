// Replacing a pin without a moment in which the name is missing: pin under a temporary name beside it, then rename over
// it. Whoever opens the name gets the old object or the new one.

import Glibc

/// Replaces pins.
public enum AtomicPin {
    /// Pins a program at a path, in place of whatever is pinned there.
    public static func replace(_ path: String, with program: borrowing BPFProgram) throws(BPFError) {
        let temporary = temporaryName(for: path)
        try program.pin(at: temporary)
        try rename(temporary, over: path)
    }

    /// Pins a link at a path, in place of whatever is pinned there. The old link is detached if nothing else holds it.
    public static func replace(_ path: String, with link: borrowing BPFLink) throws(BPFError) {
        let temporary = temporaryName(for: path)
        try link.pin(at: temporary)
        try rename(temporary, over: path)
    }

    /// Pins a map at a path, in place of whatever is pinned there.
    public static func replace(_ path: String, with map: borrowing MapDescriptor) throws(BPFError) {
        let temporary = temporaryName(for: path)
        try map.pin(at: temporary)
        try rename(temporary, over: path)
    }

    /// Names in a BPF file system must not contain a dot, so the marks are underscores and digits. The process number
    /// and a random part keep two writers apart.
    private static func temporaryName(for path: String) -> String {
        "\(path)_new_\(getpid())_\(UInt32.random(in: 0...UInt32.max))"
    }

    private static func rename(_ temporary: String, over path: String) throws(BPFError) {
        guard unsafe Glibc.rename(temporary, path) != 0 else { return }
        let failure = BPFError.last("replace the pin", path)
        _ = unsafe unlink(temporary)
        throw failure
    }
}
