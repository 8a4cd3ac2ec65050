// One event of inotify(7), decoded. What it means is for others to decide.

import Glibc

/// Something happened to a watched file or directory.
package struct FileEvent: Hashable, Sendable {
    package var watch: Int32
    /// The flags IN_….
    package var mask: UInt32
    /// Within the watched directory; empty for events of the watched thing itself.
    package var name: String

    package init(watch: Int32, mask: UInt32, name: String) {
        self.watch = watch
        self.mask = mask
        self.name = name
    }

    /// The kernel dropped events: anything may have changed.
    package var isOverflow: Bool { mask & UInt32(IN_Q_OVERFLOW) != 0 }
    /// The watch is gone, since its inode is.
    package var isWatchGone: Bool { mask & UInt32(IN_IGNORED) != 0 }
}

extension FileEvent {
    /// struct inotify_event: watch, mask, cookie and the name's length, 32 bits each, then the name padded with NUL.
    /// What is cut off at the end is left out.
    static func decode(_ bytes: ArraySlice<UInt8>, into events: inout [FileEvent]) {
        var rest = bytes
        while rest.count >= 16 {
            let header = rest.prefix(16)
            let nameLength = Int(word(header, 12))
            rest = rest.dropFirst(16)
            guard rest.count >= nameLength else { return }
            let name = rest.prefix(nameLength).prefix { $0 != 0 }
            events.append(
                FileEvent(
                    watch: Int32(bitPattern: word(header, 0)), mask: word(header, 4),
                    name: String(decoding: name, as: UTF8.self)))
            rest = rest.dropFirst(nameLength)
        }
    }

    /// Little-endian, as is every machine that the datapath is built for.
    private static func word(_ bytes: ArraySlice<UInt8>, _ offset: Int) -> UInt32 {
        let start = bytes.startIndex + offset
        return (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
    }
}
