// Writing into files that are there.

import SystemCalls
import Testing

@Suite struct ControlFileTests {
    @Test("an order is written over the beginning of the file that is there")
    func existing() throws {
        let folder = try TemporaryDirectory()
        try WholeFile.replace(folder.file("a"), with: "12345")
        try ControlFile.write("0", to: folder.file("a"))
        #expect(try WholeFile.text(of: folder.file("a")) == "02345")
    }

    @Test("no file is made where there is none")
    func missing() throws {
        let folder = try TemporaryDirectory()
        let error = failure { () throws(SystemError) in try ControlFile.write("0", to: folder.file("a")) }
        #expect(error == SystemError(operation: "open", path: folder.file("a"), errno: 2))
        #expect(try folder.names == [])
    }
}
