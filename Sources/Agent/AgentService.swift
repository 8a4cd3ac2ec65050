// Runs the agent: brings what the sources say to NodeAgent, one event after the other, until it is told to stop. Stopping
// changes nothing in the kernel.

package import Logging
import ServiceLifecycle
import Synchronization

package struct AgentService: Service {
    let agent: NodeAgent
    let source: FactSource
    let addresses: NodeAddressMonitor?
    let devices: DeviceMonitor?
    let log: Logger

    /// How often time-driven work is looked after: retries begin at 100 ms and double.
    private static let tickInterval = Duration.milliseconds(200)

    package init(
        agent: NodeAgent, source: FactSource, addresses: NodeAddressMonitor?, devices: DeviceMonitor?, log: Logger
    ) {
        self.agent = agent
        self.source = source
        self.addresses = addresses
        self.devices = devices
        self.log = log
    }

    private enum Event: Sendable {
        /// The source may have something.
        case source
        case addresses(NodeAddressMonitor.News)
        case devices(DeviceMonitor.News)
        case tick
    }

    package func run() async throws {
        try await agent.restore(now: .now)
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                let (events, inbox) = AsyncStream.makeStream(of: Event.self)
                let news = source.open()
                let isQueued = QueuedOnce()
                group.addTask { await source.work() }
                group.addTask { await agent.datagramCleaner.run { await agent.datagramServices } }
                group.addTask {
                    // Once in the inbox is enough: what comes until it is handled becomes one update.
                    for await _ in news.signals where isQueued.begin() { inbox.yield(.source) }
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
                for await event in events {
                    if case .source = event { isQueued.end() }
                    await handle(event, news)
                }
            }
        }
        await agent.writeState(now: .now, isLast: true)
        log.info("stopped; traffic goes on as programmed")
    }

    private func handle(_ event: Event, _ news: FactSource.News) async {
        switch event {
        case .source: await agent.take(news.take(), now: .now)
        case .addresses(let news): await agent.take(news, now: .now)
        case .devices(let news): await agent.take(news)
        case .tick: await agent.tick(now: .now)
        }
        await agent.writeState(now: .now)
    }
}

/// Whether something is in a queue, so that it is put there once.
private final class QueuedOnce: Sendable {
    private let isQueued = Atomic(false)

    /// Returns whether it was not there.
    func begin() -> Bool { !isQueued.exchange(true, ordering: .acquiringAndReleasing) }

    func end() { isQueued.store(false, ordering: .releasing) }
}
