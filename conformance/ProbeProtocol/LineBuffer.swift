// Cuts a stream of bytes into lines, looking at each byte once.

/// Bytes received and not yet taken as lines.
package struct LineBuffer {
    private var bytes: [UInt8] = []
    private var searched = 0

    package init() {}

    package mutating func append(_ more: [UInt8]) {
        bytes += more
    }

    /// The next whole line without its newline, or nil until more has come.
    package mutating func next() -> [UInt8]? {
        guard let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
            searched = bytes.count
            return nil
        }
        let line = Array(bytes[..<end])
        bytes.removeSubrange(...end)
        searched = 0
        return line
    }
}
