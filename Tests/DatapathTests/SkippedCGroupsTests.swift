// Which cgroups are left alone, after installations that say so differently.

import BPF
import Datapath
import Glibc
import Testing

@Suite("Skipped cgroups", .timeLimit(.minutes(1)))
struct SkippedCGroupsTests {
    @Test("an installation leaves alone the cgroups that it is told, and no longer those of the last one")
    func reinstall() throws {
        let scratch = try ScratchInstallation()
        let folders = ["a", "b", "c"].map { "\(scratch.cgroup)/\($0)" }
        for folder in folders { try #require(unsafe mkdir(folder, 0o755) == 0) }
        defer { for folder in folders { _ = unsafe rmdir(folder) } }
        let numbers = try folders.map { try CGroup.open($0).id }

        for chosen in [[0, 1], [1, 2], []] {
            _ = try scratch.install(skipCgroups: chosen.map { folders[$0] })
            let map = try BPFMap<UInt64, UInt8>.open(pinned: scratch.folder.pin(of: .skipCgroups))
            #expect(Set(try map.entries().map(\.key)) == Set(chosen.map { numbers[$0] }))
            #expect(try ProgramConstants.read(scratch.folder).skipCGroupCount == UInt32(chosen.count))
        }
    }
}
