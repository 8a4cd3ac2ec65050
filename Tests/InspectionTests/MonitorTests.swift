// The monitor on a real datapath, with processes in its cgroup that dial.

import BPF
import CDatapathABI
import Datapath
import DatapathImage
import Inspection
import NetworkTypes
import ServiceModel
import SystemCalls
import Testing

@Suite("Monitor", .enabled(if: canUseKernel))
struct MonitorTests {
    /// 127.77.1.1:80 of default/web refuses; 127.77.1.2 has a wildcard.
    private func installation() throws -> TestInstallation {
        let installation = try TestInstallation()
        try installation.addService(2, "web", port: "http")
        let reject = installation.choice(DP_ACTION_REJECT)
        try installation.addFrontend(
            try TestInstallation.key("127.77.1.1:80"), service: 2, internal: reject, external: reject)
        let wildcard = FrontendKey(wildcard: try #require(IPAddress("127.77.1.2")))
        try installation.addFrontend(
            wildcard, service: 0, kind: DP_FRONTEND_WILDCARD, internal: reject, external: reject)
        return installation
    }

    private func dial(_ address: String, times: Int = 1) -> String {
        "for i in {1..\(times)}; do (exec 3<>/dev/tcp/\(address)) 2>/dev/null; done"
    }

    /// Runs the monitor with the line executed once it listens. Stops a few polls later if nothing else stops it.
    private func watch(
        _ installation: TestInstallation, _ monitor: Monitor, while line: String
    ) throws -> (records: [EventRecord], lost: UInt64, summary: Monitor.Summary) {
        var records: [EventRecord] = []
        var lost: UInt64 = 0
        var polls = 0
        let summary = try monitor.run(
            shouldStop: {
                polls += 1
                if polls == 1 { _ = try? installation.cgroup.run(line) }
                return polls > 3
            }, show: { records.append($0) }, lost: { lost += $0 })
        return (records, lost, summary)
    }

    @Test("shows who dialled what, and what became of it")
    func shows() throws {
        let installation = try installation()
        let seen = try watch(installation, Monitor(folder: installation.folder), while: dial("127.77.1.1/80"))
        let record = try #require(seen.records.first)
        #expect(seen.records.count == 1 && seen.summary.lost == 0)
        #expect(record.outcome == "no_endpoints" && record.hook == "connect" && record.protocol == "TCP")
        #expect(record.frontend == "127.77.1.1:80" && record.backend == nil)
        #expect(record.service == "default/web:http" && record.serviceID == 2)
        #expect(record.process?.command == "bash" && record.process?.id ?? 0 > 0)
        #expect(record.client == nil && record.interface == nil && record.device == nil)
        #expect(
            record.line == "\(record.time) no_endpoints/connect bash[\(record.process?.id ?? 0)] TCP 127.77.1.1:80 "
                + "default/web:http")
    }

    @Test("shows whose socket it was, also where no service is concerned", arguments: ["127.77.1.2", "127.77.2.1"])
    func owner(_ address: String) throws {
        let installation = try installation()
        try installation.addServiceCIDR("127.77.2.0/24")
        let seen = try watch(installation, Monitor(folder: installation.folder), while: dial("\(address)/81"))
        let record = try #require(seen.records.first)
        #expect(record.outcome == (address == "127.77.1.2" ? "unknown_port" : "unowned_address"))
        #expect(record.service == nil && record.socketCookie != 0)
        #expect(try record.networkNamespaceCookie == InternetSocket(.tcp, .ipv4).namespaceCookie())
    }

    @Test("shows only what the filter admits")
    func filters() throws {
        let installation = try installation()
        let monitor = Monitor(folder: installation.folder, filter: .init(services: ["default/web"]))
        let seen = try watch(installation, monitor, while: dial("127.77.1.1/80") + ";" + dial("127.77.1.2/9"))
        #expect(seen.records.map(\.frontend) == ["127.77.1.1:80"])
    }

    @Test("stops at the count, also within one batch of events")
    func count() throws {
        let installation = try installation()
        let monitor = Monitor(folder: installation.folder, count: 3)
        let seen = try watch(installation, monitor, while: dial("127.77.1.1/80", times: 5))
        #expect(seen.records.count == 3 && seen.summary.shown == 3)
    }

    @Test("what exceeds the rate is counted as lost, and nothing is lost without being counted")
    func losses() throws {
        let installation = try installation()
        let monitor = Monitor(folder: installation.folder, eventsPerSecond: 1)
        let seen = try watch(installation, monitor, while: dial("127.77.1.1/80", times: 40))
        #expect(seen.summary.lost > 0)
        #expect(seen.summary.lost == seen.lost)
        #expect(UInt64(seen.summary.shown) + seen.summary.lost == 40)
    }

    @Test("ends after the duration, with the events switched off")
    func duration() throws {
        let installation = try installation()
        let monitor = Monitor(folder: installation.folder, duration: .milliseconds(50))
        let elapsed = try ContinuousClock().measure {
            _ = try monitor.run(shouldStop: { false }, show: { _ in }, lost: { _ in })
        }
        #expect(elapsed >= .milliseconds(50) && elapsed < .seconds(5))
        let maps = try DatapathMaps.open(installation.folder)
        #expect(try maps.eventSwitch.lookup(0)?.until_ns == 0)
    }

    @Test("a second reader is refused, and admitted once the first is gone")
    func exclusive() throws {
        let installation = try installation()
        do {
            let first = try EventReader(installation.folder, perSecond: 1)
            let error = #expect(throws: EventReaderError.self) {
                _ = try EventReader(installation.folder, perSecond: 1)
            }
            guard case .isBeingRead = error else { return #expect(Bool(false), "\(String(describing: error))") }
            let maps = try DatapathMaps.open(installation.folder)
            #expect(try maps.eventSwitch.lookup(0)?.until_ns ?? 0 > EventReader.now())
            extendLifetime(first)
        }
        _ = try EventReader(installation.folder, perSecond: 1)
    }
}
