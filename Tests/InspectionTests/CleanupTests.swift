// Taking a real datapath down: in which order, against whom, and that nothing is left.

import BPF
import Datapath
import FoundationEssentials
import Glibc
import Inspection
import Testing

@Suite("Cleanup", .enabled(if: canUseKernel))
struct CleanupTests {
    @Test("is refused while an agent holds the folder, and changes nothing then")
    func refusal() throws {
        let installation = try TestInstallation()
        let error = #expect(throws: DatapathError.self) {
            try Cleanup.perform(installation.folder, force: false, stateFolder: installation.state.path)
        }
        guard case .agentIsRunning = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(try InstallationFacts.read(installation.folder).isComplete)
    }

    @Test("removes links before maps, what translates before what translates back, and leaves nothing")
    func removesEverything() throws {
        let installation = try TestInstallation()
        let links = try InstallationFacts.read(installation.folder).hooks.map(\.linkID)
        let now = Date(timeIntervalSince1970: 0)
        try AgentStatus(pid: 1, version: "1", startedAt: now, updatedAt: now, synced: true, source: "test")
            .write(for: installation.folder, in: installation.state.path)
        installation.release()

        let cleanup = try Cleanup.perform(installation.folder, force: false, stateFolder: installation.state.path)
        #expect(cleanup.failures.isEmpty && cleanup.foreign.isEmpty)
        let hooks = SocketHook.allCases.reversed().map { "link \($0.rawValue)" }
        let maps = MapName.allCases.map { "map \($0.rawValue)" }.sorted()
        let state = AgentStatus.path(for: installation.folder, in: installation.state.path)
        #expect(cleanup.removed == hooks + maps + ["folder \(installation.folder.path)", "state file \(state)"])
        #expect(unsafe access(installation.folder.path, F_OK) != 0)
        #expect(unsafe access(state, F_OK) != 0)
        for id in links { #expect(throws: BPFError.self) { _ = try BPFLink.open(id: id) } }

        let second = try Cleanup.perform(installation.folder, force: false, stateFolder: installation.state.path)
        #expect(second.isEmpty)
        #expect(second.text(for: installation.folder).hasPrefix("nothing to remove"))
    }

    @Test("takes a datapath from under a running agent when forced")
    func force() throws {
        let installation = try TestInstallation()
        let cleanup = try Cleanup.perform(installation.folder, force: true, stateFolder: installation.state.path)
        #expect(cleanup.removed.contains("link connect4"))
        #expect(try !InstallationFacts.read(installation.folder).isInstalled)
    }

    @Test("leaves what somebody else put into the folder, and the folder with it")
    func foreignNames() throws {
        let installation = try TestInstallation()
        installation.release()
        let foreign = "\(installation.folder.path)/theirs"
        try BPFFileSystem.ensureDirectory(foreign)
        defer { _ = unsafe rmdir(foreign) }
        let cleanup = try Cleanup.perform(installation.folder, force: false, stateFolder: installation.state.path)
        #expect(cleanup.foreign == ["theirs"])
        #expect(unsafe access(foreign, F_OK) == 0)
        #expect(try !InstallationFacts.read(installation.folder).isInstalled)
    }
}
