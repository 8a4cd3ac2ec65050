// What is open in this process, for tests that nothing stays open and nothing is closed that belongs to another. They
// run in a process of their own, where no other test opens and closes.

import Foundation
import Glibc

/// Opens /dev/null on all low numbers for good, so that a stray close of any of them shows.
package func openBystanders() {
    for _ in 0..<200 { _ = unsafe open("/dev/null", O_RDONLY) }
}

/// The numbers of all open descriptors with what they are. Left out are that of the listing itself, and those that
/// libdispatch opens and closes at times of its own: events, and the statistics of its threads.
package func openDescriptors() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { number in
        let path = "/proc/self/fd/\(number)"
        guard let kind = try? FileManager.default.destinationOfSymbolicLink(atPath: path),
            !kind.hasPrefix("anon_inode:[event"), !kind.hasSuffix("/fd"), !kind.hasSuffix("/stat")
        else { return nil }
        return "\(number) \(kind)"
    }.sorted()
}
