// What outsiders are told of the agent's health, kept in step with what is programmed: changes that wait, syncs that
// succeeded, health-check node ports. After a sync in the order of SYNC-10: times and health first, then the ports, then
// connection tracking.

import Foundation
import HealthCheckServer
import LoadBalancing
import NetworkTypes
import Reconciler
import ServiceModel

extension NodeAgent {
    /// There is something to program, for all that is known in both families.
    func noteQueued(at now: ContinuousClock.Instant) {
        syncs.noteQueued(at: Date())
        health.change { health in
            for family in AddressFamily.allCases { health.queued(family, at: now) }
        }
    }

    /// Takes note of the ports that changed services want; nothing is opened before the sync has succeeded (HC-7).
    func followHealthPorts(_ change: PlanChange) {
        for service in Set(change.changed.map(\.name.service)) {
            let wanted = planner.servicePlan(of: service).flatMap(ServiceHealth.init)
            guard healthPorts[service] != wanted else { continue }
            healthPorts[service] = wanted
            healthPortsAreStale = true
        }
    }

    /// To be called after every attempt to write: when the store has taken everything, the sync has succeeded.
    func noteSyncIfDone() async {
        guard !hasBacklog, await !reconciler.hasUnwritten else { return }
        let date = Date()
        syncs.noteSynced(at: date)
        latency.observe(at: date)
        syncs.noLocalEndpoints = planner.noLocalEndpoints
        health.change { $0.synced(at: date) }
        let hasFailed = await healthChecks.hasFailed
        let addresses = planner.healthCheckAddresses
        if healthPortsAreStale || hasFailed || addresses != healthAddresses {
            healthPortsAreStale = false
            healthAddresses = addresses
            await healthChecks.sync(healthPorts, addresses: addresses)
        }
        guard owesDatagramCleanUp else { return }
        owesDatagramCleanUp = false
        datagramCleaner.request()
    }

    /// HZ-4. Without Kubernetes there may be no Node object, and nobody drains the node: then it is eligible.
    func followNode() {
        let isEligible =
            switch settings.source {
            case .manifests: planner.facts.node?.isLeaving != true
            case .kubernetes: planner.facts.node.map { !$0.isLeaving } ?? false
            }
        health.change { $0.isNodeEligible = isEligible }
    }
}

extension ServiceHealth {
    /// Nil when the service has no health-check node port (HC-1).
    fileprivate init?(_ plan: ServicePlan) {
        guard let port = plan.ports.lazy.compactMap(\.healthCheckNodePort).first else { return nil }
        let families = plan.ports.flatMap(\.families)
        self.init(
            port: port,
            localReady: PerFamily { family in families.first { $0.family == family }?.localReadyCount })
    }
}
