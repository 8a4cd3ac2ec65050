// Who is writing what, with a clock of the test's own.

import Glibc
import SystemCalls
import Testing

@testable import ManifestSource

@Suite struct FileChangesTests {
    private let start = ContinuousClock.now
    private let file = FileStamp(
        isLinked: false,
        file: FileStatus(kind: .regular, links: 1, device: 1, inode: 1, bytes: 1, modified_ns: 1, changed_ns: 1))

    private func seconds(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test("a file is left alone from its first write until it is closed")
    func writing() {
        var changes = FileChanges(patience: .seconds(2))
        let isReason = changes.note("a", mask: UInt32(IN_MODIFY), at: start)
        #expect(!isReason)
        #expect(changes.isBeingWritten("a", file, at: start))
        #expect(!changes.isBeingWritten("b", file, at: start))
        let isReasonNow = changes.note("a", mask: UInt32(IN_CLOSE_WRITE), at: start)
        #expect(isReasonNow)
        #expect(!changes.isBeingWritten("a", file, at: start))
    }

    @Test("a silent writer is not waited for forever, and each write counts anew")
    func patience() {
        var changes = FileChanges(patience: .seconds(2))
        _ = changes.note("a", mask: UInt32(IN_MODIFY), at: start)
        _ = changes.note("a", mask: UInt32(IN_MODIFY), at: seconds(1))
        #expect(changes.isBeingWritten("a", file, at: seconds(2)))
        #expect(changes.deadline(after: start) == seconds(3))
        #expect(!changes.isBeingWritten("a", file, at: seconds(3)))
        changes.forgetSilent(at: seconds(3))
        #expect(changes.deadline(after: start) == nil)
    }

    @Test("a new file is being written, a new link is not")
    func creation() {
        var changes = FileChanges(patience: .seconds(2))
        _ = changes.note("a", mask: UInt32(IN_CREATE), at: start)
        #expect(changes.isBeingWritten("a", file, at: start))
        var link = file
        link.isLinked = true
        #expect(!changes.isBeingWritten("a", link, at: start))
        var hardLink = file
        hardLink.file.links = 2
        #expect(!changes.isBeingWritten("a", hardLink, at: start))
    }

    @Test("a file that is moved in is complete, whatever was there before")
    func movedIn() {
        var changes = FileChanges(patience: .seconds(2))
        _ = changes.note("a", mask: UInt32(IN_MODIFY), at: start)
        _ = changes.note("a", mask: UInt32(IN_MOVED_TO), at: start)
        #expect(!changes.isBeingWritten("a", file, at: start))
    }
}
