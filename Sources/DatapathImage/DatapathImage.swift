// The maps as a value: what they should hold, given every plan applied so far, and how to get there from what they
// hold. No clock, no descriptor: the Reconciler performs the transactions and says when grace periods are over.
//
// Applying plans is in DatapathImage+Apply.swift, taking over existing maps in +Restore, giving space back in +Reclaim,
// comparing with the kernel in +Audit. The order of every transaction is that of Transaction.

package import LoadBalancing
package import NetworkTypes
package import ServiceModel

package struct DatapathImage: Sendable {
    /// A service port and what it should be from now on; nil: it is gone.
    package typealias Change = (name: ServicePortName, plan: ServicePortPlan?)

    package let limits: ImageLimits

    var services: ServiceTable
    var space: BackendSpace
    var frontends: FrontendTable
    var serviceCIDRs: ServiceCIDRTable
    var sourceRanges: SourceRangeTable
    var sockets = StaleSocketTracker()
    /// By service port, for those that have some.
    var failuresByService: [ServicePortName: [FrontendFailure]] = [:]
    /// Service ports that wait for another one to give a frontend up.
    var waiting: [FrontendKey: Set<ServicePortName>] = [:]
    /// Space that is waiting for its grace period to end, oldest first.
    var quarantine: [(generation: UInt64, space: Transaction.Quarantined)] = []
    /// Whether there may be records of an earlier run that no plan has claimed.
    var holdsUnclaimed = false
    /// Ranges and backend ids that only contradictory records refer to.
    var unclaimed = Transaction.Quarantined()

    /// The number of the transaction made last.
    package internal(set) var generation: UInt64 = 0

    /// Empty maps.
    package init(limits: ImageLimits = ImageLimits()) {
        self.limits = limits
        services = ServiceTable(limit: limits.services)
        space = BackendSpace(limits: limits)
        frontends = FrontendTable(limits: limits)
        serviceCIDRs = ServiceCIDRTable(limit: limits.serviceCIDRs)
        sourceRanges = SourceRangeTable(limit: limits.sourceRanges)
    }

    // MARK: What there is

    /// Every frontend that is not as its plan wants it, ordered by key. Their earlier records stay in force.
    package var failures: [FrontendFailure] {
        let wildcards = frontends.failedWildcards.map {
            FrontendFailure(
                key: FrontendKey(wildcard: $0), service: nil, reason: .frontendsFull(limit: limits.frontends))
        }
        return (failuresByService.values.joined() + wildcards).sorted {
            $0.key == $1.key ? $0.description < $1.description : $0.key < $1.key
        }
    }

    /// Whether the frontend has a record in force.
    package func holds(_ key: FrontendKey) -> Bool { frontends[key] != nil }

    package var hasFailures: Bool {
        !failuresByService.isEmpty || !frontends.failedWildcards.isEmpty || !serviceCIDRs.failed.isEmpty
    }

    /// Service CIDRs that the map has no room for, ordered.
    package var failedServiceCIDRs: [CIDR] { serviceCIDRs.failed }

    /// The id under which counters and affinity records of the service port are kept; nil if it has none.
    package func serviceID(of name: ServicePortName) -> UInt32? {
        services[name].flatMap { $0.id == 0 ? nil : $0.id }
    }

    package func serviceName(of id: UInt32) -> ServicePortName? { services.name(of: id) }

    /// Every service port that has an id, ordered by it.
    package var serviceIDs: [(id: UInt32, name: ServicePortName)] { services.namedIDs }

    /// What is in use of each map, to be compared with `limits`. Space in quarantine counts.
    package var usage: ImageLimits {
        ImageLimits(
            frontends: frontends.entries.count + frontends.contradictory.count,
            backends: space.backends.usedCount, slotWords: space.slotWordsUsed, services: services.usedCount,
            nodePorts: frontends.programmedNodePorts.count, serviceCIDRs: serviceCIDRs.programmed.count,
            sourceRanges: sourceRanges.count)
    }
}
