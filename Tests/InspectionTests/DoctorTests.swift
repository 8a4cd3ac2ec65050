// The doctor on this machine, and what it must not claim when hooks are left out.

import BPF
import Datapath
import Glibc
import NetworkTypes
import Synchronization
import SystemCalls
import Testing

@testable import Inspection

@Suite("Doctor", .enabled(if: canUseKernel))
struct DoctorTests {
    @Test("finds that this machine can do everything, proves it with translated connections, and leaves nothing behind")
    func examination() throws {
        let folder = PinFolder(path: "/sys/fs/bpf/\(uniqueName("none"))")
        let (before, diagnosis, after) = try ProcessPlace.lock.withLock { _ in
            (try ScratchCGroup.own(), Doctor(folder: folder).examine(), try ScratchCGroup.own())
        }
        let bad = diagnosis.findings.filter { $0.result != .ok && $0.area != .conflicts }
        #expect(bad.isEmpty, "\(bad)")
        #expect(diagnosis.canRun)
        let subjects = Set(diagnosis.findings.filter { $0.area == .translation }.map(\.subject))
        #expect(subjects.isSuperset(of: ["TCP over IPv4", "UDP over IPv4", "refusing over IPv4", "events"]))
        #expect(before == after)
        let parent = try #require(before)
        #expect(try BPFFileSystem.entries(at: parent).filter { $0.hasPrefix("martlet-doctor-\(getpid())-") }.isEmpty)
    }

    @Test("names the programs of others at our hooks, and not those of the installation it is asked about")
    func conflicts() throws {
        let installation = try TestInstallation()
        let cgroup = installation.cgroup.path
        let own = ConflictChecks(folder: installation.folder, cgroup: cgroup).findings()
        #expect(own.first?.result == .ok, "\(own)")
        let elsewhere = PinFolder(path: "/sys/fs/bpf/\(uniqueName("none"))")
        let foreign = try #require(ConflictChecks(folder: elsewhere, cgroup: cgroup).findings().first)
        #expect(foreign.result == .degraded)
        for hook in SocketHook.allCases { #expect(foreign.detail.contains("\(hook.rawValue): martlet_")) }
    }

    @Test("does not prove what does not work: without its hooks nothing is translated")
    func withoutHooks() throws {
        let cookie = try InternetSocket(.udp, .ipv4).namespaceCookie()
        var datapath = try ScratchDatapath(hostNamespaceCookie: cookie)
        let findings = TranslationChecks.tryAll(&datapath, .ipv4)
        #expect(findings.map(\.result) == [.missing, .missing, .missing], "\(findings)")
    }
}
