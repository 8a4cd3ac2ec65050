// Puts the agent together and runs it until SIGTERM or SIGINT: datapath, sources, reconciler, metrics server.

import Datapath
import Foundation
import HTTPServing
import HealthCheckServer
import Inspection
import KubernetesClient
import KubernetesEvents
import KubernetesSource
import LoadBalancing
package import Logging
import ManifestSource
import MetricsServer
import Netlink
package import NetworkTypes
import ServiceLifecycle
import UnixSignals

package struct Daemon: Sendable {
    private let settings: AgentSettings
    private let nodeAddresses: [IPAddress]?
    private let configuration: ConfigurationFollower?
    private let log: Logger

    /// `nodeAddresses` are the operator's; nil: the kernel is asked, and followed.
    /// `configuration` is the file that the settings come from, to be followed; nil: there is none.
    package init(
        settings: AgentSettings, nodeAddresses: [IPAddress]?, configuration: ConfigurationFollower? = nil, log: Logger
    ) {
        self.settings = settings
        self.nodeAddresses = nodeAddresses
        self.configuration = configuration
        self.log = log
    }

    /// Returns when it was told to stop. Traffic goes on.
    ///
    /// - Throws: `ConfigurationChanged` when it is to be started anew (LIFE-7).
    package func run() async throws {
        let datapath = try Datapath(installing: settings.datapath)
        log.info(
            "the datapath is in place",
            metadata: [
                "pin_folder": "\(settings.datapath.pinFolder.path)", "cgroup": "\(settings.datapath.cgroup)",
            ])
        for notice in datapath.notices { log.warning("\(notice)") }
        let addresses = try nodeAddresses ?? NodeAddressMonitor.current()
        let source = factSource()
        let health = HealthBoard(ProxyHealth(patience: settings.syncPeriod * 2))
        let (events, recorder) = self.events(source)
        let healthChecks = ServiceHealthServer(board: health, logger: log) { events.healthCheckFailed($0) }
        let agent = NodeAgent(
            settings: settings, source: source, datapath: datapath, limits: try datapath.limits(),
            nodeAddresses: addresses, sourcePorts: datapath.hasPacketHooks ? reservePorts() : nil, health: health,
            healthChecks: healthChecks, datagramCleaner: DatagramCleaner(log: log), events: events, log: log)
        let monitor = nodeAddresses == nil ? NodeAddressMonitor(log: log) : nil
        let devices = datapath.hasPacketHooks ? DeviceMonitor(log: log) : nil
        var services: [any Service] = [
            AgentService(
                agent: agent, source: source, addresses: monitor, devices: devices,
                configuration: configuration, log: log),
            healthChecks,
        ]
        if let recorder { services.append(EventService(recorder: recorder)) }
        if let address = settings.metricsAddress { services.append(metricsServer(at: address, of: agent)) }
        if let address = settings.healthAddress {
            let isLast = settings.bindHardFail
            services.append(
                ProxyHealthServer(
                    listening(on: address), board: health, logger: log,
                    didFail: { await events.cannotListen(.health, $0, isLast: isLast) }))
        }
        events.starting()
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
                logger: log))
        try await group.run()
    }

    private func factSource() -> FactSource {
        switch settings.source {
        case .manifests(let path): return .manifests(ManifestWatcher(path: path))
        case .kubernetes(let access, let wantsJSON):
            var sourceSettings = KubernetesSource.Settings()
            sourceSettings.wantsJSON = wantsJSON
            var clientSettings = APIClient.Settings()
            clientSettings.silence = sourceSettings.timing.silence
            clientSettings.budget = settings.requestBudget
            clientSettings.userAgent = "martlet/\(Version.current)"
            let client = APIClient(access: access, settings: clientSettings, log: log)
            return .kubernetes(
                KubernetesSource(
                    client: client, nodeName: settings.node.nodeName, settings: sourceSettings, log: log), client)
        }
    }

    /// Nobody is told of anything with manifests.
    private func events(_ source: FactSource) -> (AgentEvents, EventRecorder?) {
        let name = settings.node.nodeName
        guard case .kubernetes(let source, let client) = source else {
            return (AgentEvents(nodeName: name, recorder: nil), nil)
        }
        let recorder = EventRecorder(
            client: client, reporter: EventReporter(controller: "martlet", instance: "martlet-\(name)"), log: log)
        return (AgentEvents(nodeName: name, recorder: recorder) { source.uid(of: $0) }, recorder)
    }

    private func listening(on address: AddressAndPort) -> HTTPServer.Configuration {
        HTTPServer.Configuration(address: address, bindRetry: settings.bindHardFail ? nil : .seconds(5))
    }

    /// Keeps the source ports of masqueraded flows from the node's sockets. Without that everything goes on.
    private func reservePorts() -> (text: String, trouble: String?) {
        let ports = settings.datapath.packets.sourcePorts
        let text = "\(ports.lowerBound)-\(ports.upperBound)"
        let record = AgentStatus.portRecord(for: settings.datapath.pinFolder, in: settings.stateFolder)
        do {
            try PortReservation(record: record).reserve(ports)
            return ("\(text), reserved", nil)
        } catch {
            let trouble = "\(PortReservation.name) could not be given \(text): \(error); \(PortReservation.loss)"
            log.warning("\(trouble)")
            return ("\(text), not reserved", trouble)
        }
    }

    private func metricsServer(at address: AddressAndPort, of agent: NodeAgent) -> MetricsServer {
        let isLast = settings.bindHardFail
        return MetricsServer(
            listening(on: address), logger: log,
            didFail: { await agent.events.cannotListen(.metrics, $0, isLast: isLast) },
            metrics: { await agent.metricsPage() }, pages: settings.pages.all(of: agent))
    }
}
