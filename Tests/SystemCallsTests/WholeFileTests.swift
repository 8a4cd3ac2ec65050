// Files that are read, replaced and removed as a whole.

import Foundation
import SystemCalls
import Testing

@Suite struct WholeFileTests {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
    }

    @Test("a file comes back as it was written, however long", arguments: [0, 1, 65536, 200_001])
    func roundTrip(length: Int) throws {
        let text = String(String(repeating: "0123456789", count: 20_001).prefix(length))
        try WholeFile.replace(folder.file("a"), with: text)
        #expect(try WholeFile.text(of: folder.file("a")) == text)
        #expect(try WholeFile.bytes(of: folder.file("a")) == Array(text.utf8))
    }

    @Test("a file of the kernel, which claims to have no length, is read to its end")
    func kernelFile() throws {
        #expect(try WholeFile.text(of: "/proc/self/status")?.contains("\nCapEff:") == true)
    }

    @Test("a file that is not there has no text, and its bytes are an error")
    func missing() throws {
        let path = folder.file("none")
        #expect(try WholeFile.text(of: path) == nil)
        let error = failure { () throws(SystemError) in _ = try WholeFile.bytes(of: path) }
        #expect(error == SystemError(operation: "read", path: path, errno: 2))
    }

    @Test("a directory cannot be read as a file")
    func directory() {
        let error = failure { () throws(SystemError) in _ = try WholeFile.text(of: folder.path) }
        #expect(error?.description == "cannot read \(folder.path): Is a directory (21)")
    }

    @Test("a new file takes the place of the old one, and whoever has the old one open keeps it")
    func replacing() throws {
        let path = folder.file("a")
        try WholeFile.replace(path, with: "old")
        let reader = try #require(FileHandle(forReadingAtPath: path))
        let old = try FileStatus.of(path)
        try WholeFile.replace(path, with: "new")
        #expect(try WholeFile.text(of: path) == "new")
        #expect(try !FileStatus.of(path).isSameFile(as: old))
        #expect(try reader.readToEnd() == Data("old".utf8))
        #expect(try folder.names == ["a"])
    }

    @Test("a file and the folder that is made for it are their owner's alone")
    func permissions() throws {
        try WholeFile.replace(folder.file("state/a"), with: "x")
        #expect(try folder.permissions(of: "state") == 0o700)
        #expect(try folder.permissions(of: "state/a") == 0o600)
    }

    @Test("the parents of the folder are not made")
    func missingParent() throws {
        let path = folder.file("no/such/a")
        let error = failure { () throws(SystemError) in try WholeFile.replace(path, with: "x") }
        #expect(error?.description == "cannot make the folder of \(path): No such file or directory (2)")
        #expect(try folder.names == [])
    }

    @Test("what cannot be replaced stays as it is, and nothing is left beside it")
    func failedReplacement() throws {
        let path = folder.file("a")
        try Directory.make(path, mode: 0o700)
        let error = failure { () throws(SystemError) in try WholeFile.replace(path, with: "x") }
        #expect(error?.description == "cannot replace \(path): Is a directory (21)")
        #expect(try folder.names == ["a"])
    }

    @Test("removing says whether there was a file")
    func removing() throws {
        try WholeFile.replace(folder.file("a"), with: "x")
        #expect(try WholeFile.remove(folder.file("a")))
        #expect(try !WholeFile.remove(folder.file("a")))
    }
}
