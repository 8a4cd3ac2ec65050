// Files on disk, read once.

import Foundation
import Glibc
import ServiceModel
import SystemCalls
import Testing

@testable import ManifestSource

@Suite struct ManifestDirectoryTests {
    @Test("manifests are *.yaml, *.yml and *.json of the directory itself, not hidden ones")
    func selection() throws {
        let directory = try TemporaryDirectory()
        for name in ["a.yaml", "b.yml", ".hidden.yaml", "d.txt", "e.yaml~", "f.YAML"] {
            try directory.replace(name, yaml(String(name.prefix { $0 != "." })))
        }
        try directory.replace("c.json", #"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}}"#)
        try directory.makeDirectory("sub.yaml")
        try directory.replace("sub.yaml/x.yaml", yaml("x"))
        try directory.makeDirectory("..data")
        let contents = Manifests.once(path: directory.path)
        #expect(summary(contents.facts) == ["n1", "a:80", "b:80"])
        #expect(contents.problems == [])
    }

    @Test("a single file, whatever its name")
    func singleFile() throws {
        let directory = try TemporaryDirectory()
        try directory.replace("anything", yaml("a"))
        #expect(summary(Manifests.once(path: directory.file("anything")).facts) == ["a:80"])
    }

    @Test("each unreadable file is a problem of its own, the others count")
    func unreadable() throws {
        let directory = try TemporaryDirectory()
        try directory.replace("a.yaml", yaml("a"))
        try directory.replace("b.yaml", "a: [")
        try directory.replace("c.json", "{")
        try directory.link("d.yaml", to: "nowhere.yaml")
        try directory.replace("e.yaml", "")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/mkfifo")
        process.arguments = [directory.file("f.yaml")]
        try process.run()
        process.waitUntilExit()
        let contents = Manifests.once(path: directory.path, limits: TextLimits(bytes: 1000))
        #expect(summary(contents.facts) == ["a:80"])
        #expect(contents.problems.map(\.file) == ["b.yaml", "c.json", "d.yaml", "e.yaml", "f.yaml"])
        try directory.replace("a.yaml", yaml("a") + String(repeating: "#", count: 1000))
        let large = Manifests.once(path: directory.path, limits: TextLimits(bytes: 1000))
        #expect(large.facts == [])
        #expect(large.problems.first?.problem.message.hasSuffix("at most 1000 are read") == true)
    }

    @Test("a manifest whose name is not UTF-8 is reported; other files by such names are none of ours")
    func oddName() throws {
        let directory = try TemporaryDirectory()
        try directory.replace("a.yaml", yaml("a"))
        try directory.replace("b", yaml("b"))
        for ending in [".yaml", ".txt"] {
            let bytes = Array("\(directory.path)/w".utf8) + [0xff] + Array("b\(ending)".utf8) + [0]
            let name = bytes.map { CChar(bitPattern: $0) }
            #expect(unsafe link(directory.file("b"), name) == 0)
        }
        let contents = Manifests.once(path: directory.path)
        #expect(summary(contents.facts) == ["a:80"])
        #expect(
            contents.problems.map(\.description) == [
                #"w\xffb.yaml: cannot be read: its name is not UTF-8 text; it is not used"#
            ])
    }

    @Test("a path that is not there is a problem, not a crash")
    func missing() {
        let contents = Manifests.once(path: "/nonexistent/manifests")
        #expect(contents.facts == [])
        #expect(
            contents.problems.map(\.description) == [
                "/nonexistent/manifests: cannot be read: there is no such file; it is not used"
            ])
    }

    @Test("a ConfigMap volume is read through its links, once")
    func configMap() throws {
        let directory = try TemporaryDirectory()
        try directory.makeDirectory("..2026_1")
        try directory.replace("..2026_1/web.yaml", yaml("web"))
        try directory.link("..data", to: "..2026_1")
        try directory.link("web.yaml", to: "..data/web.yaml")
        let contents = Manifests.once(path: directory.path)
        #expect(summary(contents.facts) == ["web:80"])
        #expect(contents.problems == [])
    }

    @Test("a stamp tells versions of a file apart, and follows links")
    func stamps() throws {
        let directory = try TemporaryDirectory()
        try directory.replace("a", "x")
        try directory.link("b", to: "a")
        let first = try FileStamp.of(directory.file("a"))
        let linked = try FileStamp.of(directory.file("b"))
        #expect(linked.file == first.file)
        #expect(linked.isLinked && !first.isLinked)
        try directory.replace("a", "y")
        #expect(try FileStamp.of(directory.file("a")) != first)
        let missing = directory.file("c")
        #expect(throws: SystemError(operation: "look at", path: missing, errno: 2)) { try FileStamp.of(missing) }
    }
}
