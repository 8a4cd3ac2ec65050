// Watching the datapath's events until there is a reason to stop: which of them are of interest, and what was lost on
// the way. Reads on the calling thread and blocks it; where the results go is the caller's business.

import BPF
package import Datapath
import DatapathImage
import FoundationEssentials
package import NetworkTypes
package import ServiceModel

package struct Monitor: Sendable {
    /// Which events are shown; an empty set lets everything through.
    package struct Filter: Sendable {
        /// As `namespace/name:port`, or `namespace/name` for all ports of a service.
        package var services: Set<String>
        package var outcomes: Set<Outcome>
        package var hooks: Set<DatapathEvent.Hook>
        /// Packets from these, and replies to them. Calls have no client's address, so they are left out.
        package var clients: [CIDR]
        /// Names of devices. Calls have none.
        package var devices: Set<String>

        package init(
            services: Set<String> = [], outcomes: Set<Outcome> = [], hooks: Set<DatapathEvent.Hook> = [],
            clients: [CIDR] = [], devices: Set<String> = []
        ) {
            self.services = services
            self.outcomes = outcomes
            self.hooks = hooks
            self.clients = clients
            self.devices = devices
        }

        package func admits(_ event: DatapathEvent, service: ServicePortName?, device: String?) -> Bool {
            admits(event.outcome, service: service)
                && admits(event.hook, from: event.client?.address, to: event.frontend.address, at: device)
        }

        /// Whether hook, packet's ends and device are of interest.
        package func admits(
            _ hook: DatapathEvent.Hook?, from source: IPAddress?, to destination: IPAddress, at device: String?
        ) -> Bool {
            if !hooks.isEmpty, !(hook.map(hooks.contains) ?? false) { return false }
            if !devices.isEmpty, !(device.map(devices.contains) ?? false) { return false }
            guard !clients.isEmpty else { return true }
            guard let source else { return false }
            return clients.contains(address: source) || clients.contains(address: destination)
        }

        package func admits(_ outcome: Outcome?, service: ServicePortName?) -> Bool {
            if !outcomes.isEmpty, !(outcome.map(outcomes.contains) ?? false) { return false }
            guard !services.isEmpty else { return true }
            guard let service else { return false }
            return services.contains(service.description) || services.contains(service.service.description)
        }
    }

    package struct Summary: Hashable, Sendable {
        package var shown = 0
        /// Events that the datapath could not deliver while this ran.
        package var lost: UInt64 = 0
    }

    package var folder: PinFolder
    package var filter: Filter
    /// The most events for each CPU and second.
    package var eventsPerSecond: UInt32
    /// Stop after this many events are shown.
    package var count: Int?
    package var duration: Duration?

    package init(
        folder: PinFolder, filter: Filter = Filter(), eventsPerSecond: UInt32 = 1000, count: Int? = nil,
        duration: Duration? = nil
    ) {
        self.folder = folder
        self.filter = filter
        self.eventsPerSecond = eventsPerSecond
        self.count = count
        self.duration = duration
    }

    /// How long one wait for events lasts, and so how late a request to stop may be heeded.
    private static let step = Duration.milliseconds(100)
    /// How often the switch is pushed forward and the lost events are counted.
    private static let period = Duration.milliseconds(500)

    /// Runs until `shouldStop` says so, the count is reached or the time is over. The events are off afterwards.
    ///
    /// - Parameters:
    ///   - show: called with each event of interest, in the order of arrival; what it throws ends the run.
    ///   - lost: called with the number of events lost since the last call.
    package func run(
        shouldStop: () -> Bool, show: (EventRecord) throws -> Void, lost: (UInt64) -> Void
    ) throws -> Summary {
        let maps = try DatapathMaps.open(folder)
        var summary = Summary()
        var lostSoFar = try maps.count(of: .eventsLost)
        var reader = try EventReader(folder, perSecond: eventsPerSecond)
        let clock = ContinuousClock()
        let start = clock.now
        var nextPeriod = start + Self.period
        var names: [UInt32: String] = [:]
        while !shouldStop(), !isOver(summary, since: start, clock) {
            try poll(&reader, wait(since: start, clock), maps, &names, &summary, show)
            guard clock.now >= nextPeriod else { continue }
            nextPeriod = clock.now + Self.period
            try reader.keepOn()
            try countLost(maps, &lostSoFar, &summary, lost)
        }
        try countLost(maps, &lostSoFar, &summary, lost)
        return summary
    }

    private func poll(
        _ reader: inout EventReader, _ timeout: Duration, _ maps: borrowing DatapathMaps,
        _ names: inout [UInt32: String],
        _ summary: inout Summary, _ show: (EventRecord) throws -> Void
    ) throws {
        var events: [DatapathEvent] = []
        try reader.poll(timeout: timeout) { events.append($0) }
        // A device that is not known may be new, or of another namespace: asked for once in each batch.
        if events.contains(where: { $0.interface != 0 && names[$0.interface] == nil }) {
            names = InterfaceNames.current()
        }
        let (date, now) = (Date(), EventReader.now())
        for event in events where summary.shown < count ?? .max {
            let name = event.serviceID == 0 ? nil : try maps.services.lookup(event.serviceID)?.name
            let device = names[event.interface]
            guard filter.admits(event, service: name, device: device) else { continue }
            let age = Double(now &- min(event.timeNanoseconds, now)) / 1e9
            try show(EventRecord(event, service: name?.description, device: device, at: date - age))
            summary.shown += 1
        }
    }

    private func isOver(_ summary: Summary, since start: ContinuousClock.Instant, _ clock: ContinuousClock) -> Bool {
        if let count, summary.shown >= count { return true }
        guard let duration else { return false }
        return clock.now - start >= duration
    }

    private func wait(since start: ContinuousClock.Instant, _ clock: ContinuousClock) -> Duration {
        guard let duration else { return Self.step }
        return max(.zero, min(Self.step, duration - (clock.now - start)))
    }

    private func countLost(
        _ maps: borrowing DatapathMaps, _ before: inout UInt64, _ summary: inout Summary, _ report: (UInt64) -> Void
    ) throws(BPFError) {
        let now = try maps.count(of: .eventsLost)
        // A forced cleanup and a new installation start counting anew.
        let delta = now >= before ? now - before : now
        before = now
        guard delta > 0 else { return }
        summary.lost += delta
        report(delta)
    }
}
