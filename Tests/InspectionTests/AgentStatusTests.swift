// The state file through which an agent tells about itself: whole, private, and in its place.

import BPF
import Datapath
import FoundationEssentials
import Glibc
import Inspection
import Testing

@Suite("State file of the agent")
struct AgentStatusTests {
    private let folder = TestFolder()
    private let pins = PinFolder(path: "/sys/fs/bpf/martlet/")

    private static func sample(services: Int = 3) -> AgentStatus {
        AgentStatus(
            pid: 42, version: "1.0", startedAt: Date(timeIntervalSince1970: 1_000_000),
            updatedAt: Date(timeIntervalSince1970: 1_000_060), synced: true, source: "manifests in /etc/martlet",
            services: services, frontends: .init(programmed: 5, failed: 1),
            frontendErrors: [
                .init(
                    frontend: "10.96.0.1:80/TCP", service: "default/web", error: "map frontends is full",
                    since: Date(timeIntervalSince1970: 1_000_010), attempts: 4)
            ],
            problems: [.init(file: "a.yaml", document: 2, object: "Service default/x", field: "spec", message: "Bad.")],
            notices: ["kept its size"],
            lastAudit: .init(at: Date(timeIntervalSince1970: 1_000_050), differences: 1, repaired: 1),
            attachments: AttachmentReport())
    }

    @Test("no two pin folders have one state file")
    func pathsDiffer() {
        let folders = ["/a/z/y", "/a/z-y", "/a-z-y", "/a/z--y", "/a/z%2dy", "/a/z%y", "/a//z/y"]
        let paths = folders.map { AgentStatus.path(for: PinFolder(path: $0), in: "/run/martlet") }
        #expect(Set(paths).count == folders.count, "\(paths)")
        #expect(AgentStatus.path(for: .conventional) == "/run/martlet/-sys-fs-bpf-martlet.json")
    }

    @Test("what is written is read back")
    func roundTrip() throws {
        try Self.sample().write(for: pins, in: folder.path)
        #expect(try AgentStatus.read(for: pins, in: folder.path) == Self.sample())
        try Self.sample(services: 4).write(for: pins, in: folder.path)
        #expect(try AgentStatus.read(for: pins, in: folder.path)?.services == 4)
    }

    @Test("the file is named after the pin folder, is its owner's alone, and leaves no other file behind")
    func placement() throws {
        try Self.sample().write(for: pins, in: folder.path)
        #expect(try BPFFileSystem.entries(at: folder.path) == ["-sys-fs-bpf-martlet.json"])
        var status = stat()
        #expect(unsafe stat(AgentStatus.path(for: pins, in: folder.path), &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        #expect(unsafe stat(folder.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
    }

    @Test("without a file there is no status, and nothing to remove")
    func absence() throws {
        #expect(try AgentStatus.read(for: pins, in: folder.path) == nil)
        #expect(try AgentStatus.remove(for: pins, in: folder.path) == nil)
    }

    @Test("a file that is no status is an error that names it")
    func nonsense() throws {
        try Self.sample().write(for: pins, in: folder.path)
        let path = AgentStatus.path(for: pins, in: folder.path)
        #expect(unsafe truncate(path, 10) == 0)
        #expect(throws: StateFileError.self) { try AgentStatus.read(for: pins, in: folder.path) }
    }

    @Test("readers meet whole files only while two writers are at work")
    func concurrentWriters() async throws {
        let (path, pins) = (folder.path, pins)
        try Self.sample().write(for: pins, in: path)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<2 {
                group.addTask {
                    for _ in 0..<50 { try Self.sample(services: number).write(for: pins, in: path) }
                }
            }
            for _ in 0..<100 { #expect(try AgentStatus.read(for: pins, in: path) != nil) }
            try await group.waitForAll()
        }
        #expect(try BPFFileSystem.entries(at: path).count == 1)
    }
}
