// Lists, counters and status of a real datapath, read from its pins.

import BPF
import CDatapathABI
import Datapath
import DatapathImage
import Glibc
import Inspection
import NetworkTypes
import Testing

@Suite("Inspection of a datapath in the kernel", .enabled(if: canUseKernel))
struct InstalledDatapathTests {
    @Test("lists follow what was written, with the agent down as well")
    func lists() throws {
        let installation = try TestInstallation()
        try installation.addService(2, "web", port: "http")
        try installation.addBackend(3, "127.0.0.9:8080")
        try installation.addBackend(5, "127.0.0.8:8080")
        try installation.addBackend(6, "127.0.0.7:8080")
        let key = try TestInstallation.key("127.77.0.1:80")
        try installation.addFrontend(
            key, service: 2, affinity: 60, internal: try installation.forward(to: [5, 3, 6]),
            external: installation.choice(DP_ACTION_REJECT))
        installation.release()

        let snapshot = try DatapathSnapshot(reading: DatapathMaps.open(installation.folder))
        #expect(snapshot.complaints.isEmpty)
        let frontend = try #require(FrontendListing(snapshot).entries.first)
        #expect(frontend.internal.backends == ["127.0.0.8:8080", "127.0.0.9:8080", "127.0.0.7:8080"])
        #expect(frontend.external.action == "reject" && frontend.external.backends.isEmpty)
        #expect(frontend.service == "default/web:http")
        #expect(ServiceListing(snapshot).entries.map(\.internalBackends) == [3])
        #expect(BackendListing(snapshot).entries.map(\.id) == [6, 5, 3])
    }

    @Test("counters of services and outcomes count real connects of a process in the cgroup")
    func counters() throws {
        let installation = try TestInstallation()
        try installation.addService(2, "web")
        try installation.addFrontend(
            try TestInstallation.key("127.77.0.2:80"), service: 2, internal: installation.choice(DP_ACTION_REJECT),
            external: installation.choice(DP_ACTION_REJECT))
        #expect(try installation.cgroup.run("exec 3<>/dev/tcp/127.77.0.2/80 2>/dev/null") == 1)
        let maps = try DatapathMaps.open(installation.folder)
        #expect(try maps.counters(ofService: 2) == ServiceCounters(connections: 0, refused: 1))
        #expect(try maps.count(of: .noEndpoints) == 1)
        #expect(try maps.count(of: .forwarded) == 0)
    }

    @Test("a record that points outside of the arena becomes a complaint, not a crash")
    func complaints() throws {
        let installation = try TestInstallation()
        var broken = installation.choice(DP_ACTION_FORWARD)
        (broken.set_word, broken.set_count) = (4_000_000_000, 4)
        let key = try TestInstallation.key("127.77.0.3:80")
        try installation.addFrontend(key, service: 2, internal: broken, external: try installation.forward(to: [9]))
        let snapshot = try DatapathSnapshot(reading: DatapathMaps.open(installation.folder))
        #expect(snapshot.complaints.count == 2)
        #expect(snapshot.complaints.allSatisfy { $0.contains("127.77.0.3:80/TCP") })
    }

    @Test("status names hooks with their cgroup, maps with their use and cost, and every outcome")
    func status() throws {
        let installation = try TestInstallation()
        try installation.addService(2, "web")
        try installation.addBackend(3, "127.0.0.9:8080")
        let report = try StatusReport.read(installation.folder, stateFolder: installation.state.path)
        #expect(report.installed && report.complete && report.agent.running)
        #expect(report.hooks.count == SocketHook.allCases.count)
        #expect(Set(report.hooks.map(\.cgroup)) == [installation.cgroup.path])
        #expect(report.maps.map(\.name) == MapName.allCases.map(\.rawValue))
        #expect(report.maps.first { $0.name == "backends" }?.inUse == 1)
        #expect(report.maps.first { $0.name == "services" }?.inUse == 1)
        #expect(report.maps.first { $0.name == "frontends" }.map { [$0.inUse, Int($0.size)] } == [0, 64])
        #expect(report.memoryBytes > 0)
        #expect(report.outcomes.map(\.name) == Outcome.allCases.map(\.name))
        #expect(report.contractVersion == report.supportedContractVersion)
        installation.release()
        #expect(try !StatusReport.read(installation.folder, stateFolder: installation.state.path).agent.running)
    }

    @Test("a missing hook and a missing map are named")
    func damage() throws {
        let installation = try TestInstallation()
        try BPFFileSystem.unpin("\(installation.folder.path)/links/connect6")
        try BPFFileSystem.unpin("\(installation.folder.path)/maps/events")
        let report = try StatusReport.read(installation.folder, stateFolder: installation.state.path)
        #expect(report.installed && !report.complete)
        #expect(report.missingMaps == ["events"])
        #expect(report.hooks.filter { !$0.attached }.map(\.name) == ["connect6"])
        let page = StatusPage(report).text
        #expect(page.contains("NOT ATTACHED") && page.contains("missing maps: events"))
    }

    @Test("asking whether an agent runs keeps no agent from starting afterwards")
    func askingIsHarmless() throws {
        let installation = try TestInstallation()
        #expect(try installation.folder.isHeldByAgent())
        installation.release()
        #expect(try !installation.folder.isHeldByAgent())
        // Somebody else who asks at the same moment is no agent.
        let asker = unsafe open(installation.folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try #require(flock(asker, LOCK_SH | LOCK_NB) == 0)
        #expect(try !installation.folder.isHeldByAgent())
        flock(asker, LOCK_UN)
        close(asker)
        _ = try installation.folder.lock()
        #expect(try !PinFolder(path: "/sys/fs/bpf/\(uniqueName("nowhere"))").isHeldByAgent())
    }
}
