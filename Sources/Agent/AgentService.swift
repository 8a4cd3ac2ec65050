// Runs the agent: brings what the sources say to NodeAgent, one thing after the other, until it is told to stop. When news
// is taken in is SyncSchedule's decision. Stopping changes nothing in the kernel.

package import Logging
import ServiceLifecycle

package struct AgentService: Service {
    let agent: NodeAgent
    let source: FactSource
    let addresses: NodeAddressMonitor?
    let devices: DeviceMonitor?
    let configuration: ConfigurationFollower?
    let log: Logger

    /// How often time-driven work is looked after: retries begin at 100 ms and double.
    private static let tickInterval = Duration.milliseconds(200)

    package init(
        agent: NodeAgent, source: FactSource, addresses: NodeAddressMonitor?, devices: DeviceMonitor?,
        configuration: ConfigurationFollower? = nil, log: Logger
    ) {
        self.agent = agent
        self.source = source
        self.addresses = addresses
        self.devices = devices
        self.configuration = configuration
        self.log = log
    }

    /// - Throws: `ConfigurationChanged` when the agent is to be started anew.
    package func run() async throws {
        try await agent.restore(now: .now)
        let failure = await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group -> ConfigurationChanged? in
                let inbox = AgentInbox()
                let alarm = Alarm(inbox)
                let news = source.open()
                group.addTask { await source.work() }
                group.addTask { await agent.datagramCleaner.run { await agent.datagramServices } }
                group.addTask { for await _ in news.signals { inbox.put { $0.hasNews = true } } }
                if let addresses {
                    group.addTask {
                        for await news in addresses.updates() { inbox.put { $0.addresses = news } }
                    }
                }
                if let devices {
                    group.addTask {
                        for await news in devices.updates() { inbox.put { $0.devices = news } }
                    }
                }
                if let configuration {
                    group.addTask {
                        for await news in configuration.updates() { inbox.put { $0.configuration = news } }
                    }
                }
                group.addTask { await alarm.run() }
                group.addTask {
                    while !Task.isCancelled {
                        try? await Task.sleep(for: Self.tickInterval)
                        inbox.put { $0.isTickDue = true }
                    }
                    inbox.close()
                    alarm.close()
                }
                var schedule = SyncSchedule(minimumInterval: .zero)
                for await _ in inbox.bell {
                    schedule.minimumInterval = await agent.minimumSyncInterval
                    do throws(ConfigurationChanged) {
                        try await handle(inbox.take(), &schedule)
                    } catch {
                        group.cancelAll()
                        return error
                    }
                    await step(&schedule, news, inbox, alarm)
                    await agent.writeState(now: .now)
                }
                return nil
            }
        }
        await agent.writeState(now: .now, isLast: true)
        if let failure { throw failure }
        log.info("stopped; traffic goes on as programmed")
    }

    private func handle(
        _ content: AgentInbox.Content, _ schedule: inout SyncSchedule
    ) async throws(ConfigurationChanged) {
        if let news = content.addresses { await agent.take(news, now: .now) }
        if let news = content.devices { await agent.take(news) }
        if let configuration, let content = content.configuration {
            try await agent.take(configuration.news(content), from: configuration.path, now: .now)
        }
        if content.isTickDue { await agent.tick(now: .now) }
        if content.hasNews { schedule.noteNews() }
        if await agent.hasBacklog { schedule.noteBacklog() }
    }

    /// One step of the schedule; what else has come is looked after before the next one.
    private func step(
        _ schedule: inout SyncSchedule, _ news: FactSource.News, _ inbox: AgentInbox, _ alarm: Alarm
    ) async {
        let step = schedule.next(now: .now)
        schedule.begin(step)
        let hasWritten: Bool
        switch step {
        case .wait(until: nil): return
        case .wait(until: let instant?): return alarm.set(instant)
        case .takeNews: hasWritten = await agent.take(news.take(), now: .now)
        case .programPiece: hasWritten = await agent.programPiece(now: .now)
        }
        schedule.end(hasWritten: hasWritten, hasBacklog: await agent.hasBacklog, at: .now)
        if schedule.next(now: .now) != .wait(until: nil) { inbox.ring() }
    }
}

/// Rings the inbox's bell at a time. One alarm at a time: another one is looked at when the first has rung.
private struct Alarm: Sendable {
    private let inbox: AgentInbox
    private let times: AsyncStream<ContinuousClock.Instant>
    private let setting: AsyncStream<ContinuousClock.Instant>.Continuation

    init(_ inbox: AgentInbox) {
        self.inbox = inbox
        (times, setting) = AsyncStream.makeStream(
            of: ContinuousClock.Instant.self, bufferingPolicy: .bufferingNewest(1))
    }

    func set(_ instant: ContinuousClock.Instant) { setting.yield(instant) }

    func close() { setting.finish() }

    func run() async {
        for await instant in times {
            guard (try? await Task.sleep(until: instant, clock: .continuous)) != nil else { return }
            inbox.ring()
        }
    }
}
