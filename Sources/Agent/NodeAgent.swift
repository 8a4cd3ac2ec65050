// The agent's middle: what sources say goes in, the planner works out what changes, the reconciler makes it so. One event
// after the other, in order; AgentService brings them here. Nothing is written before the first complete reading of every
// source (SYNC-1), and nothing of an earlier run is removed before a reading without errors.

package import BPF
package import Datapath
import DatapathImage
package import LoadBalancing
package import Logging
package import ManifestSource
package import NetworkTypes
package import Reconciler
import ServiceModel

package actor NodeAgent {
    let settings: AgentSettings
    let datapath: Datapath
    let reconciler: Reconciler
    let log: Logger
    private(set) var planner: Planner
    private(set) var manifestProblems: [ManifestProblem] = []
    private(set) var plannerProblems: [ObjectName: [ObjectProblem]] = [:]
    private(set) var lastAudit: (at: ContinuousClock.Instant, report: AuditReport)?
    private(set) var counters = AgentCounters()
    /// All sources have been read, and what they say is programmed.
    private(set) var isSynced = false
    private var unclaimedRemoved = false
    /// Something that the state file shows has changed since it was written.
    var stateIsStale = true

    package init(
        settings: AgentSettings, datapath: Datapath, limits: ImageLimits, nodeAddresses: [IPAddress]?, log: Logger
    ) {
        self.settings = settings
        self.datapath = datapath
        self.log = log
        planner = Planner(settings: settings.node, nodeAddresses: nodeAddresses)
        reconciler = Reconciler(
            store: datapath, limits: limits,
            settings: ReconcilerSettings(grace: settings.gracePeriod, auditInterval: settings.auditInterval),
            seed: UInt64.random(in: 0...UInt64.max))
    }

    /// Takes over what an earlier run left in the maps.
    package func restore(now: ContinuousClock.Instant) async throws(StoreError) {
        try await reconciler.restore(now: now)
        let used = await reconciler.usage.used
        log.info("took over the maps", metadata: ["frontends": "\(used.frontends)", "backends": "\(used.backends)"])
    }

    // MARK: Events

    package func take(_ update: ManifestUpdate, now: ContinuousClock.Instant) async {
        stateIsStale = true
        note(update.problems)
        guard update.isComplete else { return }
        await carryOut(planner.apply(update.changes), now: now)
        if !isSynced {
            isSynced = true
            log.info("the manifests are programmed", metadata: ["services": "\(planner.facts.services.count)"])
        }
        if !unclaimedRemoved, update.isClean {
            unclaimedRemoved = true
            record(await reconciler.allSourcesSynced(now: now))
        }
    }

    /// The node's addresses as the kernel has them now.
    package func take(nodeAddresses: [IPAddress], now: ContinuousClock.Instant) async {
        let change = planner.setNodeAddresses(nodeAddresses)
        guard isSynced else { return }
        await carryOut(change, now: now)
    }

    /// Retries, ends of grace periods, audits.
    package func tick(now: ContinuousClock.Instant) async {
        let audits = await reconciler.counters.audits
        record(await reconciler.tick(now: now), now: now)
        guard await reconciler.counters.audits > audits else { return }
        restoreInstallation()
    }

    /// An audit covers the pins and links as well.
    private func restoreInstallation() {
        do {
            for item in try datapath.repairInstallation() {
                counters.installationRepairs += 1
                log.warning("restored what somebody removed", metadata: ["object": "\(item)"])
            }
        } catch {
            log.error("the installation cannot be repaired", metadata: ["error": "\(error)"])
        }
    }

    private func carryOut(_ change: PlanChange, now: ContinuousClock.Instant) async {
        guard !change.isEmpty else { return }
        stateIsStale = true
        for (service, problems) in change.problems {
            let old = plannerProblems[service] ?? []
            for problem in problems where !old.contains(problem) {
                log.warning("a service is not served as it says", metadata: ["problem": "\(problem)"])
            }
            plannerProblems[service] = problems.isEmpty ? nil : problems
        }
        if let ranges = change.serviceCIDRs { record(await reconciler.setServiceCIDRs(ranges, now: now)) }
        guard !change.changed.isEmpty else { return }
        let began = ContinuousClock.now
        record(await reconciler.apply(change.changed.map { ($0.name, $0.plan) }, now: now))
        let took = ContinuousClock.now - began
        counters.observeSync(took)
        log.debug(
            "programmed a change", metadata: ["service_ports": "\(change.changed.count)", "duration": "\(took)"])
    }

    // MARK: Telling

    private func note(_ problems: [ManifestProblem]) {
        let old = Set(manifestProblems)
        for problem in problems where !old.contains(problem) {
            counters.manifestErrors += 1
            log.warning("a manifest has a problem", metadata: ["problem": "\(problem)"])
        }
        if problems.isEmpty, !old.isEmpty { log.info("all manifests are in order again") }
        manifestProblems = problems
    }

    private func record(_ report: ReconcilerReport, now: ContinuousClock.Instant = .now) {
        for error in report.errors { log.error("the datapath refused a write", metadata: ["error": "\(error)"]) }
        for status in report.failed {
            guard case .failed(let reason, _, _) = status.state else { continue }
            log.error(
                "a frontend is not programmed as planned; what it had stays in force",
                metadata: ["frontend": "\(status.key)", "reason": "\(reason)"])
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
}
