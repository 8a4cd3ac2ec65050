// Runs the agent: brings what the sources say to NodeAgent, one event after the other, until it is told to stop. Stopping
// changes nothing in the kernel.

package import Logging
package import ManifestSource
import ServiceLifecycle

package struct AgentService: Service {
    let agent: NodeAgent
    let watcher: ManifestWatcher
    let addresses: NodeAddressMonitor?
    let devices: DeviceMonitor?
    let log: Logger

    /// How often time-driven work is looked after: retries begin at 100 ms and double.
    private static let tickInterval = Duration.milliseconds(200)

    package init(
        agent: NodeAgent, watcher: ManifestWatcher, addresses: NodeAddressMonitor?, devices: DeviceMonitor?, log: Logger
    ) {
        self.agent = agent
        self.watcher = watcher
        self.addresses = addresses
        self.devices = devices
        self.log = log
    }

    private enum Event: Sendable {
        case manifests(ManifestUpdate)
        case addresses(NodeAddressMonitor.News)
        case devices(DeviceMonitor.News)
        case tick
    }

    package func run() async throws {
        try await agent.restore(now: .now)
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                let (events, inbox) = AsyncStream.makeStream(of: Event.self)
                group.addTask {
                    for await update in watcher.updates() { inbox.yield(.manifests(update)) }
                }
                if let addresses {
                    group.addTask {
                        for await news in addresses.updates() { inbox.yield(.addresses(news)) }
                    }
                }
                if let devices {
                    group.addTask {
                        for await news in devices.updates() { inbox.yield(.devices(news)) }
                    }
                }
                group.addTask {
                    while !Task.isCancelled {
                        try? await Task.sleep(for: Self.tickInterval)
                        inbox.yield(.tick)
                    }
                    inbox.finish()
                }
                for await event in events { await handle(event) }
            }
        }
        await agent.writeState(now: .now, isLast: true)
        log.info("stopped; traffic goes on as programmed")
    }

    private func handle(_ event: Event) async {
        switch event {
        case .manifests(let update): await agent.take(update, now: .now)
        case .addresses(let news): await agent.take(news, now: .now)
        case .devices(let news): await agent.take(news)
        case .tick: await agent.tick(now: .now)
        }
        await agent.writeState(now: .now)
    }
}
