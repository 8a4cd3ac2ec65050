// Making, removing, holding and locking directories.

import SystemCalls
import Testing

@Suite struct DirectoryTests {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
    }

    @Test("a directory is made once and removed once")
    func makeAndRemove() throws {
        let path = folder.file("a")
        try Directory.make(path, mode: 0o700)
        #expect(failure { () throws(SystemError) in try Directory.make(path, mode: 0o700) }?.isExists == true)
        try Directory.remove(path)
        #expect(failure { () throws(SystemError) in try Directory.remove(path) }?.isNotFound == true)
    }

    @Test("a directory with something in it stays")
    func notEmpty() throws {
        try WholeFile.replace(folder.file("a/b"), with: "x")
        let error = failure { () throws(SystemError) in try Directory.remove(folder.file("a")) }
        #expect(error?.description == "cannot remove directory \(folder.file("a")): Directory not empty (39)")
    }

    @Test("the names in a directory are bytes, whatever they are; one that is not there is an error")
    func names() throws {
        #expect(try Directory.names(in: folder.path) == [])
        try WholeFile.replace(folder.file("größe"), with: "x")
        try Directory.make(folder.file(".hidden"), mode: 0o700)
        let names = try Directory.names(in: folder.path)
        #expect(Set(names) == [Array("größe".utf8), Array(".hidden".utf8)])
        let error = failure { () throws(SystemError) in _ = try Directory.names(in: folder.file("none")) }
        #expect(error?.isNotFound == true)
    }

    @Test("an exclusive lock keeps everybody out, shared ones go together")
    func locks() throws {
        let first = try OpenDirectory(folder.path)
        let second = try OpenDirectory(folder.path)
        #expect(try first.tryLock(.exclusive))
        #expect(try !second.tryLock(.shared))
        first.unlock()
        #expect(try second.tryLock(.shared))
        #expect(try first.tryLock(.shared))
        #expect(try !first.tryLock(.exclusive))
    }

    @Test("a lock ends with its holder")
    func lockLifetime() throws {
        func hold() throws { #expect(try OpenDirectory(folder.path).tryLock(.exclusive)) }
        try hold()
        #expect(try OpenDirectory(folder.path).tryLock(.exclusive))
    }

    @Test("an open directory stays the one that it was, whatever is at its path")
    func identity() throws {
        let path = folder.file("a")
        try Directory.make(path, mode: 0o700)
        let held = try OpenDirectory(path)
        #expect(try held.status().isSameFile(as: FileStatus.of(path)))
        try Directory.remove(path)
        try Directory.make(path, mode: 0o700)
        #expect(try !held.status().isSameFile(as: FileStatus.of(path)))
    }

    @Test("neither a file nor nothing can be opened as a directory")
    func others() throws {
        try WholeFile.replace(folder.file("file"), with: "x")
        func errno(_ name: String) -> Int32? {
            failure { () throws(SystemError) in _ = try OpenDirectory(folder.file(name)) }?.errno
        }
        #expect(errno("file") == 20)
        #expect(errno("none") == 2)
    }
}
