// What stat(2) says, through links and not.

import Foundation
import SystemCalls
import Testing

@Suite struct FileStatusTests {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
        try WholeFile.replace(folder.file("file"), with: "12345")
        try Directory.make(folder.file("directory"), mode: 0o700)
        for (name, target) in [("link", "file"), ("dangling", "nothing")] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.file(name), withDestinationPath: folder.file(target))
        }
    }

    @Test("a link stands for the file behind it, or for itself")
    func kinds() throws {
        let names = ["file", "directory", "link"]
        #expect(try names.map { try FileStatus.of(folder.file($0)).kind } == [.regular, .directory, .regular])
        #expect(
            try names.map { try FileStatus.of(folder.file($0), followsLink: false).kind }
                == [.regular, .directory, .symbolicLink])
        #expect(try FileStatus.of("/dev/null").kind == .other)
    }

    @Test("a link to nowhere is a file by itself, and none when it is followed")
    func dangling() throws {
        let path = folder.file("dangling")
        #expect(try FileStatus.of(path, followsLink: false).kind == .symbolicLink)
        let error = failure { () throws(SystemError) in _ = try FileStatus.of(path) }
        #expect(error?.description == "cannot look at \(path): No such file or directory (2)")
        #expect(!FileStatus.exists(path))
        #expect(FileStatus.exists(folder.file("link")))
    }

    @Test("length, links and times are those of the file")
    func facts() throws {
        let before = try FileStatus.of(folder.file("file"))
        #expect(before.bytes == 5)
        #expect(before.links == 1)
        try FileManager.default.linkItem(atPath: folder.file("file"), toPath: folder.file("other"))
        let after = try FileStatus.of(folder.file("other"))
        #expect(after.isSameFile(as: before))
        #expect(after.links == 2)
        #expect(after.modified_ns == before.modified_ns)
        #expect(after.changed_ns >= before.changed_ns)
        #expect(abs(Double(after.modified_ns) / 1e9 - Date().timeIntervalSince1970) < 60)
    }

    @Test("files of the same content are not the same file")
    func difference() throws {
        try WholeFile.replace(folder.file("copy"), with: "12345")
        let copy = try FileStatus.of(folder.file("copy"))
        #expect(try !copy.isSameFile(as: FileStatus.of(folder.file("file"))))
    }
}
