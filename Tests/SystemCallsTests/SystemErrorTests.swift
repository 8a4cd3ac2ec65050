// What a refusal says.

import SystemCalls
import Testing

@Suite struct SystemErrorTests {
    @Test("an error is a sentence with what was being done, the file, and the reason")
    func sentence() {
        let error = SystemError(operation: "make the folder of", path: "/run/a/b", errno: 13)
        #expect(error.description == "cannot make the folder of /run/a/b: Permission denied (13)")
        #expect(error.reason == "Permission denied (13)")
    }

    @Test("an error without a file begins with the call, as perror has it")
    func withoutPath() {
        #expect(SystemError(operation: "connect", errno: 111).description == "connect: Connection refused (111)")
    }

    @Test("a number that nobody knows is told all the same")
    func unknownNumber() {
        #expect(SystemError(operation: "bind", errno: 4242).description == "bind: Unknown error 4242 (4242)")
    }

    @Test("absence and presence are told apart from other refusals")
    func predicates() {
        #expect([2, 17, 13].map { SystemError(operation: "x", errno: $0).isNotFound } == [true, false, false])
        #expect([2, 17, 13].map { SystemError(operation: "x", errno: $0).isExists } == [false, true, false])
    }
}
