// The agent's middle: what sources say goes in, the planner works out what changes, the reconciler makes it so. One event
// after the other, in order; AgentService brings them here. Nothing is written before the first complete reading of every
// source (SYNC-1), and nothing of an earlier run is removed that may belong to an object which cannot be read.

package import Datapath
package import DatapathImage
import Foundation
package import HealthCheckServer
import Inspection
import LoadBalancing
package import Logging
import Netlink
package import NetworkTypes
package import Reconciler
package import ServiceModel
import Telemetry

package actor NodeAgent {
    private(set) var settings: AgentSettings
    let source: FactSource
    let datapath: Datapath
    let reconciler: Reconciler
    let health: HealthBoard
    let healthChecks: ServiceHealthServer
    let datagramCleaner: DatagramCleaner
    /// Slices with UDP ports have changed since connection tracking was cleaned up.
    var owesDatagramCleanUp = false
    let events: AgentEvents
    let log: Logger
    var configuration = ConfigurationState()
    private(set) var planner: Planner
    private(set) var sourceProblems: [SourceProblem] = []
    private(set) var plannerProblems: [ObjectName: [ObjectProblem]] = [:]
    private(set) var lastAudit: (at: ContinuousClock.Instant, report: AuditReport)?
    private(set) var counters = AgentCounters()
    /// All sources have been read, and what they say is programmed.
    private(set) var isSynced = false
    /// All sources have been read.
    private var isFirstTaken = false
    /// What is left of a big change, and when it began.
    private var backlog = ProgrammingBacklog()
    private var backlogBegan: ContinuousClock.Instant?
    private var hasBacklogFailed = false
    /// Service ranges that come into force when all that is known is programmed: until then, an address in them that
    /// nobody serves yet is not one that nobody has.
    private var rangesInWaiting: [CIDR]?
    private var unclaimedRemoved = false
    /// There may be other services than when unclaimed frontends were looked at last.
    private var servicesHaveChanged = false
    /// Frontends of an earlier run that may belong to objects which cannot be read; nil before anybody has looked.
    private(set) var keptFrontends: Int?
    /// What an earlier run had programmed.
    private(set) var restoredFrontends = 0
    /// Connections that the kernel translates and that are left to it; nil: none are.
    var heldConnections: Int?
    var nextHandoverSweep: ContinuousClock.Instant?
    var syncs = SyncStatistics()
    var latency: ProgrammingLatency
    /// Health-check node ports, as the plan has them, and whether that has changed since they were last synced.
    var healthPorts: [ObjectName: ServiceHealth] = [:]
    var healthPortsAreStale = false
    /// Where they were told to be served; nil: nowhere yet.
    var healthAddresses: PerFamily<[IPAddress]>?
    /// Why the node's addresses are not followed at the moment.
    private(set) var addressTrouble: String?
    /// The node's devices as they were last told of, and what came of attaching to them.
    var devices: [NetworkDevice]?
    var attachments: AttachmentReport?
    /// What the packet hooks were told of the node last.
    var traffic: NodeTraffic?
    /// The source ports of masqueraded flows, and whether they are the node's to give away; nil without packet hooks.
    let sourcePorts: (text: String, trouble: String?)?
    private var nextInstallationCheck: ContinuousClock.Instant?
    /// Something that the state file shows has changed since it was written.
    var stateIsStale = true
    private var stateWrittenAt: ContinuousClock.Instant?
    let startedAt = Date()
    private let clockAtStart = ContinuousClock.now

    package init(
        settings: AgentSettings, source: FactSource, datapath: Datapath, limits: ImageLimits,
        nodeAddresses: [IPAddress]?, sourcePorts: (text: String, trouble: String?)? = nil, health: HealthBoard,
        healthChecks: ServiceHealthServer, datagramCleaner: DatagramCleaner, events: AgentEvents, log: Logger
    ) {
        self.settings = settings
        latency = ProgrammingLatency(start: startedAt)
        self.source = source
        self.sourcePorts = sourcePorts
        self.datapath = datapath
        self.health = health
        self.healthChecks = healthChecks
        self.datagramCleaner = datagramCleaner
        self.events = events
        self.log = log
        planner = Planner(settings: settings.node, nodeAddresses: nodeAddresses)
        reconciler = Reconciler(
            store: datapath, limits: limits,
            settings: ReconcilerSettings(
                grace: settings.datapath.gracePeriod, auditInterval: settings.auditInterval,
                retry: RetrySchedule.Settings(longest: min(.seconds(30), settings.syncPeriod))),
            seed: UInt64.random(in: 0...UInt64.max))
    }

    /// Takes over what an earlier run left in the maps.
    package func restore(now: ContinuousClock.Instant) async throws(StoreError) {
        try await reconciler.restore(now: now)
        nextInstallationCheck = settings.auditInterval.map { now + $0 }
        // The loop begins with everything to do (MET-4).
        syncs.noteQueued(at: Date())
        let used = await reconciler.usage.used
        restoredFrontends = used.frontends
        log.info("took over the maps", metadata: ["frontends": "\(used.frontends)", "backends": "\(used.backends)"])
    }

    // MARK: Events

    package var minimumSyncInterval: Duration { settings.minimumSyncInterval }

    /// Whether there is a big change that is not programmed to its end.
    package var hasBacklog: Bool { !backlog.isEmpty }

    /// News of the source; nil when only its own state has changed. Returns whether there was anything to program.
    package func take(_ update: SourceUpdate?, now: ContinuousClock.Instant) async -> Bool {
        stateIsStale = true
        guard let update else { return false }
        note(update.problems)
        guard isFirstTaken || update.isFirst else { return false }
        isFirstTaken = true
        servicesHaveChanged = servicesHaveChanged || update.isFirst || update.changesServices
        syncs.note(update.changes)
        owesDatagramCleanUp = owesDatagramCleanUp || changesDatagramEndpoints(update.changes)
        latency.note(update.changes) { planner.facts.slice(named: $0) }
        if update.isFirst { await beginHandover() }
        let change = planner.apply(update.changes)
        followNode()
        await carryOut(change, now: now)
        if !hasBacklog { await finishSync(now: now) }
        return !change.changed.isEmpty || change.serviceCIDRs != nil || update.isFirst
    }

    /// Programs the next piece of a big change. Returns true: there was one.
    package func programPiece(now: ContinuousClock.Instant) async -> Bool {
        let report = await write(backlog.next(), now: now)
        if !report.errors.isEmpty { hasBacklogFailed = true }
        guard !hasBacklog else { return true }
        if let began = backlogBegan { noteRun(took: .now - began, hasFailed: hasBacklogFailed) }
        (backlogBegan, hasBacklogFailed) = (nil, false)
        await finishSync(now: now)
        return true
    }

    /// All that is known has been given to the reconciler.
    private func finishSync(now: ContinuousClock.Instant) async {
        await programRanges(now: now)
        guard isFirstTaken else { return }
        if !isSynced {
            await finishHandover()
            isSynced = true
            log.info("the \(source.noun) are programmed", metadata: ["services": "\(planner.facts.services.count)"])
        }
        await removeUnclaimed(now: now)
        await noteSyncIfDone()
    }

    /// What an earlier run programmed and nobody asks for any more goes at once if it belongs to services that could be
    /// read, and else only when every object could: the last good version of an object that is wrong at start is in the
    /// maps alone.
    private func removeUnclaimed(now: ContinuousClock.Instant) async {
        guard !unclaimedRemoved else { return }
        guard !sourceProblems.contains(where: { $0.consequence == .notUsed }) else {
            // Each time, all frontends are looked at.
            guard keptFrontends != 0, servicesHaveChanged else { return }
            servicesHaveChanged = false
            record(await reconciler.servicesSynced(Set(planner.facts.services.keys), now: now))
            await noteKept()
            return
        }
        unclaimedRemoved = true
        record(await reconciler.allSourcesSynced(now: now))
        guard let kept = keptFrontends, kept > 0 else { return }
        log.info(
            "all \(source.noun) can be read; what was kept of an earlier run and nobody has is removed",
            metadata: ["frontends": "\(kept)"])
        keptFrontends = 0
    }

    private func noteKept() async {
        let kept = await reconciler.unclaimedFrontends
        guard kept != keptFrontends else { return }
        keptFrontends = kept
        stateIsStale = true
        guard kept > 0 else { return }
        log.warning(
            "frontends of an earlier run are kept: they may belong to objects that cannot be read",
            metadata: ["frontends": "\(kept)"])
    }

    /// The node's addresses as the kernel has them now, or that they are not followed.
    package func take(_ news: NodeAddressMonitor.News, now: ContinuousClock.Instant) async {
        switch news {
        case .lost(let reason):
            stateIsStale = true
            addressTrouble = reason
        case .addresses(let addresses):
            if addressTrouble != nil {
                stateIsStale = true
                addressTrouble = nil
                log.info("the node's addresses are followed again")
            }
            await programNodeChange(planner.setNodeAddresses(addresses), now: now)
        }
    }

    /// Something about this node, and not its sources, is another now.
    func programNodeChange(_ change: PlanChange, now: ContinuousClock.Instant) async {
        await carryOut(change, now: now)
        if isSynced, !hasBacklog { await finishSync(now: now) }
    }

    /// Takes over other settings, and returns what they change in the plan.
    func adopt(_ newer: LiveSettings, now: ContinuousClock.Instant) -> PlanChange {
        if settings.auditInterval != newer.auditInterval {
            nextInstallationCheck = newer.auditInterval.map { now + $0 }
        }
        settings.auditInterval = newer.auditInterval
        settings.minimumSyncInterval = newer.minimumSyncInterval
        settings.node = newer.node
        return planner.setSettings(newer.node)
    }

    /// The node's devices, or that they are not followed: what is attached stays then.
    package func take(_ news: DeviceMonitor.News) async {
        stateIsStale = true
        guard case .devices(let devices) = news else { return }
        self.devices = devices
        await attach()
    }

    /// Retries, ends of grace periods, audits; pins and links as often as audits, whatever becomes of those.
    package func tick(now: ContinuousClock.Instant) async {
        await sweepHandover(now: now)
        let wasUnwritten = await reconciler.hasUnwritten
        let report = await reconciler.tick(now: now)
        record(report, now: now)
        if !report.errors.isEmpty { syncs.noteFailure(ofSync: wasUnwritten) }
        let healthCheckFailed = await healthChecks.hasFailed
        if wasUnwritten || (healthCheckFailed && isSynced) { await noteSyncIfDone() }
        guard let due = nextInstallationCheck, due <= now else { return }
        nextInstallationCheck = settings.auditInterval.map { now + $0 }
        await restoreInstallation()
        do {
            _ = try await Self.sweep(datapath)
        } catch {
            log.error("flows that are over cannot be removed", metadata: ["error": "\(error)"])
        }
    }

    /// Off the actor: there may be a million flows to look at.
    @concurrent
    private static func sweep(_ datapath: Datapath) async throws -> Int {
        try datapath.removeSilentFlows()
    }

    private func restoreInstallation() async {
        do {
            for item in try await Self.repair(datapath) {
                counters.installationRepairs += 1
                log.warning("restored what somebody removed", metadata: ["object": "\(item)"])
            }
            await attach()
        } catch {
            log.error("the installation cannot be repaired", metadata: ["error": "\(error)"])
        }
    }

    /// Off the actor: verifying the programs takes seconds, and metrics are asked for meanwhile.
    @concurrent
    private static func repair(_ datapath: Datapath) async throws -> [String] {
        try datapath.repairInstallation()
    }

    private func carryOut(_ change: PlanChange, now: ContinuousClock.Instant) async {
        await tellTraffic()
        guard !change.isEmpty else { return }
        stateIsStale = true
        for (service, problems) in change.problems {
            let old = plannerProblems[service] ?? []
            for problem in problems where !old.contains(problem) {
                log.warning("a service is not served as it says", metadata: ["problem": "\(problem)"])
                events.serviceProblem(service, problem)
            }
            plannerProblems[service] = problems.isEmpty ? nil : problems
        }
        if let ranges = change.serviceCIDRs { rangesInWaiting = ranges }
        guard !change.changed.isEmpty else { return }
        noteQueued(at: now)
        followHealthPorts(change)
        let began = ContinuousClock.now
        guard !change.isDivisible else {
            backlog.add(change.changed)
            if backlogBegan == nil { backlogBegan = began }
            return
        }
        // A small change does not wait for the end of a big one.
        backlog.supersede(change.changed)
        let report = await write(change.changed, now: now)
        noteRun(took: .now - began, hasFailed: !report.errors.isEmpty)
    }

    private func write(_ ports: [PlanChange.Port], now: ContinuousClock.Instant) async -> ReconcilerReport {
        let report = await reconciler.apply(ports.map { ($0.name, $0.plan) }, now: now)
        record(report)
        log.debug("programmed service ports", metadata: ["service_ports": "\(ports.count)"])
        return report
    }

    private func noteRun(took duration: Duration, hasFailed: Bool) {
        counters.syncs.observe(duration)
        syncs.noteRun(took: duration, isFull: !isSynced && !hasBacklog, hasFailed: hasFailed)
    }

    private func programRanges(now: ContinuousClock.Instant) async {
        guard let ranges = rangesInWaiting else { return }
        rangesInWaiting = nil
        let old = Set(await reconciler.failedServiceCIDRs)
        record(await reconciler.setServiceCIDRs(ranges, now: now))
        for range in await reconciler.failedServiceCIDRs where !old.contains(range) {
            log.error(
                "a service range has no room; addresses in it that no service owns are let through",
                metadata: ["range": "\(range)", "map": "service_cidrs"])
        }
    }

    // MARK: Telling

    private func note(_ problems: [SourceProblem]) {
        let old = Set(sourceProblems)
        for problem in problems where !old.contains(problem) {
            counters.inputErrors += 1
            log.warning("one of the \(source.noun) has a problem", metadata: ["problem": "\(problem)"])
            events.inputProblem(problem)
        }
        if problems.isEmpty, !old.isEmpty { log.info("all \(source.noun) are in order again") }
        sourceProblems = problems
    }

    private func record(_ report: ReconcilerReport, now: ContinuousClock.Instant = .now) {
        for error in report.errors { log.error("the datapath refused a write", metadata: ["error": "\(error)"]) }
        for status in report.failed {
            guard case .failed(let reason, _, _) = status.state else { continue }
            log.error(
                status.hasRecord
                    ? "a frontend is not programmed as planned; what it had stays in force"
                    : "a frontend is not programmed; nothing serves it until it is",
                metadata: ["frontend": "\(status.key)", "reason": "\(reason)"])
            guard let service = servicePort(of: status.key)?.service else { continue }
            events.frontendFailed("\(status.key)", of: service, reason: reason, hasRecord: status.hasRecord)
        }
        for key in report.recovered { log.info("a frontend is programmed again", metadata: ["frontend": "\(key)"]) }
        if let audit = report.audit {
            lastAudit = (now, audit)
            if audit.differences > 0 {
                log.warning("an audit found differences", metadata: ["differences": "\(audit.differences)"])
            }
        }
        if !report.failed.isEmpty || !report.recovered.isEmpty || report.audit != nil { stateIsStale = true }
    }

    // MARK: The state file

    /// The state file is for people: a second's delay does not matter, a write for every change would.
    private static let stateInterval = Duration.seconds(1)

    /// Writes the state file if something in it has changed, at most once a second.
    package func writeState(now: ContinuousClock.Instant, isLast: Bool = false) async {
        let isDue = stateWrittenAt.map { now - $0 >= Self.stateInterval } ?? true
        guard stateIsStale, isDue || isLast else { return }
        stateIsStale = false
        stateWrittenAt = now
        do {
            try await status().write(for: settings.datapath.pinFolder, in: settings.stateFolder)
        } catch {
            log.error("the state file cannot be written", metadata: ["error": "\(error)"])
        }
    }

    /// The moment of the wall clock that a reading of the running clock stands for.
    func date(of instant: ContinuousClock.Instant) -> Date {
        let elapsed = instant - clockAtStart
        return startedAt + Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    }
}
