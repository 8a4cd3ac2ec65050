// Directories that really change under a running watcher. Each test waits for what must come, and where something must
// not come, for a later change that shows that the earlier one is past.

import Foundation
import NetworkTypes
import ServiceModel
import Synchronization
import Testing

@testable import ManifestSource

/// What a consumer believes after all updates so far.
final class Believer: Sendable {
    struct Belief {
        var ports: [String: UInt16] = [:]
        var problems: [String] = []
        var updates = 0
        var firsts = 0
        /// Changes that told what was known already, or came before the first complete reading (EP-19, SYNC-1).
        var needless: [FactChange] = []
        /// Every name that was ever deleted.
        var deleted: Set<String> = []
    }

    private let belief = Mutex(Belief())

    var now: Belief { belief.withLock { $0 } }

    func follow(_ updates: ManifestUpdates) async {
        for await update in updates { belief.withLock { $0.take(update) } }
    }

    /// Waits until the belief is as described, at most ten seconds.
    func waits(_ what: Comment, at location: SourceLocation = #_sourceLocation, for isSo: (Belief) -> Bool) async {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            if isSo(now) { return }
            try? await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("\(what): \(now)", sourceLocation: location)
    }
}

extension Believer.Belief {
    fileprivate mutating func take(_ update: SourceUpdate) {
        updates += 1
        if update.isFirst { firsts += 1 }
        problems = update.problems.map(\.description)
        for change in update.changes {
            guard case .service(let name, let service) = change else { continue }
            let port = service?.ports.first?.port
            if ports[name.name] == port || firsts == 0 { needless.append(change) }
            if port == nil { deleted.insert(name.name) }
            ports[name.name] = port
        }
    }
}

/// So rare a poll that only events can be why something is seen.
private func eventsOnly() -> WatchTiming {
    var timing = WatchTiming()
    timing.poll = .seconds(100)
    return timing
}

/// Runs `body` beside a watcher of the directory; both are over afterwards.
private func watching(
    _ directory: TemporaryDirectory, _ subpath: String = "", timing: WatchTiming = eventsOnly(),
    _ body: (Believer) async throws -> Void
) async throws {
    let believer = Believer()
    let updates = ManifestWatcher(path: directory.path + subpath, timing: timing).updates()
    async let _: Void = believer.follow(updates)
    await believer.waits("the first look") { $0.updates > 0 }
    try await body(believer)
    #expect(believer.now.needless == [])
    #expect(believer.now.firsts <= 1)
}

@Suite(.timeLimit(.minutes(2))) struct ManifestWatcherTests {
    @Test("the first update holds everything and says so; an atomic replacement follows")
    func replacement() async throws {
        let directory = try TemporaryDirectory()
        try directory.replace("a.yaml", yaml("a") + yaml("b"))
        try await watching(directory) { believer in
            #expect(believer.now.ports == ["a": 80, "b": 80])
            #expect(believer.now.firsts == 1)
            try directory.replace("a.yaml", yaml("a", port: 81))
            await believer.waits("a changes, b goes") { $0.ports == ["a": 81] }
            try directory.replace("c.yaml", yaml("c"))
            await believer.waits("a new file") { $0.ports == ["a": 81, "c": 80] }
            try directory.remove("a.yaml")
            await believer.waits("a file is removed") { $0.ports == ["c": 80] }
        }
    }

    @Test("an empty directory is complete, and then fills")
    func empty() async throws {
        let directory = try TemporaryDirectory()
        try await watching(directory) { believer in
            #expect(believer.now.firsts == 1)
            try directory.write("a.yaml", yaml("a"))
            await believer.waits("the first file") { $0.ports == ["a": 80] }
        }
    }

    @Test("a file that is written in place is not read before it is closed")
    func inPlace() async throws {
        let directory = try TemporaryDirectory()
        try directory.replace("a.yaml", yaml("a") + yaml("b"))
        var timing = eventsOnly()
        timing.writerPatience = .seconds(100)
        try await watching(directory, timing: timing) { believer in
            let handle = try #require(FileHandle(forWritingAtPath: directory.file("a.yaml")))
            try handle.truncate(atOffset: 0)
            // Half of the file is good YAML in which b is missing.
            try handle.write(contentsOf: Data(yaml("a", port: 81).utf8))
            try directory.replace("other.yaml", yaml("other"))
            await believer.waits("another file meanwhile") { $0.ports["other"] == 80 }
            #expect(believer.now.ports == ["a": 80, "b": 80, "other": 80])
            try handle.write(contentsOf: Data(yaml("b", port: 81).utf8))
            try handle.close()
            await believer.waits("the whole file") { $0.ports == ["a": 81, "b": 81, "other": 80] }
            #expect(believer.now.deleted == [])
        }
    }

    @Test("a file that stays open is read once its writer has been silent for long")
    func silentWriter() async throws {
        let directory = try TemporaryDirectory()
        var timing = eventsOnly()
        timing.writerPatience = .milliseconds(300)
        try await watching(directory, timing: timing) { believer in
            try directory.write("a.yaml", "")
            let handle = try #require(FileHandle(forWritingAtPath: directory.file("a.yaml")))
            try handle.write(contentsOf: Data(yaml("a").utf8))
            await believer.waits("what was written so far") { $0.ports == ["a": 80] }
            try handle.close()
        }
    }

    @Test("a ConfigMap volume changes all its files at once when its link flips")
    func configMap() async throws {
        let directory = try TemporaryDirectory()
        try directory.makeDirectory("..1")
        try directory.replace("..1/a.yaml", yaml("a"))
        try directory.replace("..1/b.yaml", yaml("b"))
        try directory.link("..data", to: "..1")
        try directory.link("a.yaml", to: "..data/a.yaml")
        try directory.link("b.yaml", to: "..data/b.yaml")
        try await watching(directory) { believer in
            #expect(believer.now.ports == ["a": 80, "b": 80])
            for (version, port) in [(2, 81), (3, 82)] {
                let before = believer.now.updates
                try directory.makeDirectory("..\(version)")
                try directory.replace("..\(version)/a.yaml", yaml("a", port: port))
                try directory.replace("..\(version)/b.yaml", yaml("b", port: port))
                try directory.link("..data_tmp", to: "..\(version)")
                // rename(2) over the old link, as kubelet does.
                try directory.move("..data_tmp", over: "..data")
                // kubelet removes the old version; whether it has done so must not matter.
                if version == 3 { try directory.remove("..1") }
                await believer.waits("version \(version)") { $0.ports == ["a": UInt16(port), "b": UInt16(port)] }
                #expect(believer.now.updates == before + 1)
            }
            #expect(believer.now.deleted == [])
        }
    }

    @Test("the target of a link elsewhere is watched: edits in place, and replacements")
    func linkElsewhere() async throws {
        let directory = try TemporaryDirectory()
        let elsewhere = try TemporaryDirectory()
        try elsewhere.replace("web", yaml("a"))
        try directory.link("a.yaml", to: elsewhere.file("web"))
        try await watching(directory) { believer in
            try elsewhere.write("web", yaml("a", port: 81))
            await believer.waits("an edit in place") { $0.ports == ["a": 81] }
            try elsewhere.replace("web", yaml("a", port: 82))
            await believer.waits("a replacement") { $0.ports == ["a": 82] }
            try elsewhere.write("web", yaml("a", port: 83))
            await believer.waits("an edit of the replacement") { $0.ports == ["a": 83] }
        }
    }

    @Test("invalid YAML keeps the last good version of the file, one bad object that of the object")
    func lastGood() async throws {
        let directory = try TemporaryDirectory()
        try directory.replace("a.yaml", yaml("a") + yaml("b"))
        try await watching(directory) { believer in
            try directory.replace("a.yaml", "a: [")
            await believer.waits("the problem") { $0.problems.count == 1 }
            #expect(believer.now.ports == ["a": 80, "b": 80])
            try directory.replace("a.yaml", yaml("a", port: 70000) + yaml("b", port: 81))
            await believer.waits("the good half") { $0.ports == ["a": 80, "b": 81] }
            #expect(believer.now.problems.count == 1)
            #expect(believer.now.problems.first?.contains("spec.ports[0].port") == true)
            try directory.replace("a.yaml", yaml("a", port: 82))
            await believer.waits("good again") { $0.ports == ["a": 82] && $0.problems == [] }
        }
    }

    @Test("a missing directory keeps everything; one that is recreated is followed, and not taken for empty")
    func recreated() async throws {
        let directory = try TemporaryDirectory()
        try directory.makeDirectory("m")
        try directory.replace("m/a.yaml", yaml("a"))
        try directory.replace("m/b.yaml", yaml("b"))
        var timing = eventsOnly()
        timing.fileGoneAfterReturn = .seconds(3)
        try await watching(directory, "/m", timing: timing) { believer in
            try directory.remove("m")
            await believer.waits("the problem") { $0.problems.count == 1 }
            #expect(believer.now.ports == ["a": 80, "b": 80])
            try directory.makeDirectory("m")
            try directory.replace("m/a.yaml", yaml("a", port: 81))
            await believer.waits("the new file, and no problem") {
                $0.ports["a"] == 81 && $0.problems == []
            }
            await believer.waits("b is gone for good") { $0.ports == ["a": 81] }
            try directory.replace("m/a.yaml", yaml("a", port: 82))
            await believer.waits("the new directory is watched") { $0.ports == ["a": 82] }
        }
    }

    @Test("a directory that another one takes the place of is not taken for one whose files were deleted")
    func exchanged() async throws {
        let directory = try TemporaryDirectory()
        try directory.makeDirectory("m")
        try directory.replace("m/a.yaml", yaml("a"))
        try directory.replace("m/b.yaml", yaml("b"))
        try directory.makeDirectory("n")
        try directory.replace("n/a.yaml", yaml("a", port: 81))
        var timing = eventsOnly()
        timing.fileGone = .zero
        timing.fileGoneAfterReturn = .seconds(100)
        try await watching(directory, "/m", timing: timing) { believer in
            try directory.move("m", over: "old")
            try directory.move("n", over: "m")
            await believer.waits("the other directory") { $0.ports["a"] == 81 && $0.problems == [] }
            try directory.replace("m/c.yaml", yaml("c"))
            await believer.waits("a later change") { $0.ports["c"] == 80 }
            #expect(believer.now.deleted == [])
        }
    }

    @Test("a removed file is gone in time although others keep changing")
    func removedAmongChanges() async throws {
        let directory = try TemporaryDirectory()
        try directory.replace("a.yaml", yaml("a"))
        try directory.replace("b.yaml", yaml("b"))
        try await watching(directory) { believer in
            try directory.remove("a.yaml")
            for port in 1...5 {
                try directory.replace("b.yaml", yaml("b", port: port))
                await believer.waits("change \(port)") { $0.ports["b"] == UInt16(port) }
            }
            await believer.waits("the removed one") { $0.ports["a"] == nil }
        }
    }

    @Test("a directory that is not there yet is waited for: nothing is first, then everything")
    func late() async throws {
        let directory = try TemporaryDirectory()
        var timing = eventsOnly()
        timing.fileGoneAfterReturn = .milliseconds(500)
        try await watching(directory, "/m", timing: timing) { believer in
            #expect(believer.now.firsts == 0)
            #expect(believer.now.problems.count == 1)
            try directory.makeDirectory("m")
            try directory.replace("m/a.yaml", yaml("a"))
            await believer.waits("the first reading") { $0.firsts == 1 && $0.ports == ["a": 80] }
        }
    }

    @Test("a directory that just appeared is not complete while it may still be filled")
    func filling() async throws {
        let directory = try TemporaryDirectory()
        var timing = eventsOnly()
        timing.fileGoneAfterReturn = .seconds(100)
        try await watching(directory, "/m", timing: timing) { believer in
            try directory.makeDirectory("m")
            await believer.waits("the directory, still empty") { $0.problems == [] }
            #expect(believer.now.firsts == 0)
        }
    }

    @Test("an editor that deletes a file before it writes the new one deletes no object")
    func editor() async throws {
        let directory = try TemporaryDirectory()
        try directory.replace("a.yaml", yaml("a"))
        var timing = eventsOnly()
        timing.fileGone = .seconds(100)
        try await watching(directory, timing: timing) { believer in
            try directory.move("a.yaml", over: "a.yaml~")
            try directory.replace("other.yaml", yaml("other"))
            await believer.waits("another file meanwhile") { $0.ports["other"] == 80 }
            try directory.write("a.yaml", yaml("a", port: 81))
            await believer.waits("the new text") { $0.ports == ["a": 81, "other": 80] }
            #expect(believer.now.deleted == [])
        }
    }

    @Test("a renamed file changes nothing, and is no duplicate of itself")
    func renamed() async throws {
        let directory = try TemporaryDirectory()
        try directory.replace("a.yaml", yaml("a"))
        // The old name never counts as gone here, and must not stand in the way.
        var timing = eventsOnly()
        timing.fileGone = .seconds(100)
        try await watching(directory, timing: timing) { believer in
            try directory.move("a.yaml", over: "b.yaml")
            try directory.replace("c.yaml", yaml("c"))
            await believer.waits("a later change") { $0.ports == ["a": 80, "c": 80] }
            try directory.replace("b.yaml", yaml("a", port: 81))
            await believer.waits("the renamed file is followed") { $0.ports == ["a": 81, "c": 80] }
            #expect(believer.now.deleted == [])
            #expect(believer.now.problems == [])
        }
    }

    @Test("what inotify does not tell, the poll finds")
    func poll() async throws {
        let directory = try TemporaryDirectory()
        try directory.makeDirectory("v1")
        try directory.makeDirectory("v2")
        try directory.replace("v1/a.yaml", yaml("a"))
        try directory.replace("v2/a.yaml", yaml("a", port: 81))
        try directory.makeDirectory("links")
        // The watched path leads through a link that is not its last component.
        try directory.link("links/current", to: "../v1")
        try directory.makeDirectory("v1/m")
        try directory.makeDirectory("v2/m")
        try directory.move("v1/a.yaml", over: "v1/m/a.yaml")
        try directory.move("v2/a.yaml", over: "v2/m/a.yaml")
        var timing = eventsOnly()
        timing.poll = .milliseconds(200)
        try await watching(directory, "/links/current/m", timing: timing) { believer in
            #expect(believer.now.ports == ["a": 80])
            try directory.link("links/next", to: "../v2")
            try directory.move("links/next", over: "links/current")
            await believer.waits("the other version") { $0.ports == ["a": 81] }
        }
    }

    @Test("many quick changes end in the last one, told in fewer updates")
    func burst() async throws {
        let directory = try TemporaryDirectory()
        try directory.replace("a.yaml", yaml("a"))
        var timing = eventsOnly()
        timing.coalesce = .milliseconds(100)
        timing.coalesceAtMost = .milliseconds(300)
        try await watching(directory, timing: timing) { believer in
            for port in 1...500 { try directory.replace("a.yaml", yaml("a", port: port)) }
            await believer.waits("the last") { $0.ports == ["a": 500] }
            #expect(believer.now.updates < 250)
        }
    }

    @Test("a relative path of one character is a path like any other", arguments: ["m", ".", "./", "m/"])
    func shortPaths(_ path: String) async {
        // Whatever is there: the tests' own directory, or nothing.
        var updates = ManifestWatcher(path: path, timing: eventsOnly()).updates().makeAsyncIterator()
        #expect(await updates.next() != nil)
    }

    @Test("the thread and its descriptors go when nobody asks any more")
    func cancellation() async throws {
        let directory = try TemporaryDirectory()
        try directory.replace("a.yaml", yaml("a"))
        weak var mailbox: ManifestMailbox?
        do {
            let updates = ManifestWatcher(path: directory.path).updates()
            mailbox = updates.mailbox
            var iterator = updates.makeAsyncIterator()
            #expect(await iterator.next()?.changes.count == 1)
            #expect(mailbox != nil)
        }
        // The thread holds the mailbox; it ends although nothing happens to the directory before the next poll.
        let deadline = ContinuousClock.now + .seconds(5)
        while mailbox != nil, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(5)) }
        #expect(mailbox == nil)
    }
}
