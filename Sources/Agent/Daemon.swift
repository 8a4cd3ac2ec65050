// Puts the agent together and runs it until SIGTERM or SIGINT: datapath, sources, reconciler, metrics server.

import Datapath
import Foundation
import HTTPServing
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
    private let log: Logger

    /// `nodeAddresses` are the operator's; nil: the kernel is asked, and followed.
    package init(settings: AgentSettings, nodeAddresses: [IPAddress]?, log: Logger) {
        self.settings = settings
        self.nodeAddresses = nodeAddresses
        self.log = log
    }

    /// Returns when it was told to stop. Traffic goes on.
    package func run() async throws {
        let datapath = try Datapath(installing: settings.datapath)
        log.info(
            "the datapath is in place",
            metadata: [
                "pin_folder": "\(settings.datapath.pinFolder.path)", "cgroup": "\(settings.datapath.cgroup)",
            ])
        for notice in datapath.notices { log.warning("\(notice)") }
        let addresses = try nodeAddresses ?? NodeAddressMonitor.current()
        let agent = NodeAgent(
            settings: settings, datapath: datapath, limits: try datapath.limits(), nodeAddresses: addresses, log: log)
        let monitor = nodeAddresses == nil ? NodeAddressMonitor(log: log) : nil
        let devices = datapath.hasPacketHooks ? DeviceMonitor(log: log) : nil
        var services: [any Service] = [
            AgentService(
                agent: agent, watcher: ManifestWatcher(path: settings.manifests), addresses: monitor, devices: devices,
                log: log)
        ]
        if let address = settings.metricsAddress { services.append(metricsServer(at: address, of: agent)) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
                logger: log))
        try await group.run()
    }

    private func metricsServer(at address: AddressAndPort, of agent: NodeAgent) -> MetricsServer {
        MetricsServer(
            HTTPServer.Configuration(address: address, bindRetry: .seconds(5)), logger: log,
            page: { await agent.metricsPage() },
            health: { (healthy: await agent.isSynced, body: await agent.isSynced ? "ok\n" : "not synced yet\n") })
    }
}
