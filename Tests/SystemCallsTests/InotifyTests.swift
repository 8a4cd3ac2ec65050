// Events of files, and ending a wait for them.

import Glibc
import Testing

@testable import SystemCalls

@Suite struct InotifyTests {
    @Test("inotify records come apart, cut ones are left")
    func decoding() {
        let first: [UInt8] = [7, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 97, 98, 0, 0]
        let second: [UInt8] = [255, 255, 255, 255, 0, 64, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        var events: [FileEvent] = []
        FileEvent.decode((first + second + first.dropLast())[...], into: &events)
        #expect(events == [FileEvent(watch: 7, mask: 2, name: "ab"), FileEvent(watch: -1, mask: 0x4000, name: "")])
        #expect(events.map(\.isOverflow) == [false, true])
    }

    @Test("a wait ends with an event, which names the file")
    func event() throws {
        let folder = try TemporaryDirectory()
        let inotify = Inotify()
        let wake = WakeSignal()
        let watch = try inotify.add(folder.path, mask: UInt32(IN_MOVED_TO))
        let before = inotify.events()
        #expect(before == [])
        try WholeFile.replace(folder.file("a"), with: "x")
        let isWoken = inotify.wait(milliseconds: 60_000, wake: wake)
        #expect(!isWoken)
        let events = inotify.events()
        #expect(events == [FileEvent(watch: watch, mask: UInt32(IN_MOVED_TO), name: "a")])
    }

    @Test("a wait ends when it is signalled, and so does every later one")
    func waking() {
        let inotify = Inotify()
        let wake = WakeSignal()
        var answers = [inotify.wait(milliseconds: 1, wake: wake)]
        wake.signal()
        for _ in 0..<2 { answers.append(inotify.wait(milliseconds: 60_000, wake: wake)) }
        #expect(answers == [false, true, true])
    }

    @Test("what is not there cannot be watched")
    func missing() {
        let inotify = Inotify()
        let error = failure { () throws(SystemError) in _ = try inotify.add("/no/such", mask: UInt32(IN_MODIFY)) }
        #expect(error == SystemError(operation: "watch", path: "/no/such", errno: ENOENT))
    }
}
