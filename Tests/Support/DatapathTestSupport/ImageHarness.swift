// An image with maps of its own: performs each transaction at once, in the order of its phases, and keeps the text of
// the last one.

package import DatapathImage
package import LoadBalancing
package import NetworkTypes
import Reconciler
package import ServiceModel

package struct ImageHarness {
    package private(set) var image: DatapathImage
    package let store: FakeDatapathStore
    package private(set) var last = Transaction()

    package init(limits: ImageLimits = ImageLimits()) {
        image = DatapathImage(limits: limits)
        // Nothing expires by itself: only `reclaim` gives space back, and then time has passed.
        store = FakeDatapathStore(limits: limits, grace: .zero)
    }

    /// The maps as text, and what went wrong on the way.
    package var text: String {
        get throws { try store.contents().description + store.violations.map { "VIOLATION \($0)\n" }.joined() }
    }

    package mutating func apply(_ plans: ServicePortPlan...) throws {
        try perform(image.apply(plans.map(\.change)))
    }

    package mutating func apply(_ changes: [DatapathImage.Change]) throws {
        try perform(image.apply(changes))
    }

    package mutating func remove(_ names: ServicePortName...) throws {
        try perform(image.apply(names.map { ($0, nil) }))
    }

    package mutating func setServiceCIDRs(_ ranges: [CIDR]) throws {
        try perform(image.setServiceCIDRs(ranges))
    }

    package mutating func settle(_ keys: [FrontendKey]) throws {
        try perform(image.settle(keys))
    }

    package mutating func retryFailed() throws {
        try perform(image.retryFailed())
    }

    /// Every grace period is over.
    package mutating func reclaim() throws {
        try perform(image.reclaim(through: image.generation))
    }

    /// As if the agent had been started anew.
    package mutating func restart(limits: ImageLimits? = nil) throws {
        image = DatapathImage(restoring: try store.contents(), limits: limits ?? image.limits)
    }

    package mutating func removeUnclaimed() throws {
        try perform(image.removeUnclaimed())
    }

    package mutating func removeUnclaimed(of services: Set<ObjectName>) throws {
        try perform(image.removeUnclaimed(of: services))
    }

    package mutating func socketSweep() -> [StaleSockets] { image.socketSweep() }

    package mutating func audit() throws -> AuditReport {
        let report = image.audit(try store.contents())
        try perform(report.repair)
        return report
    }

    package mutating func perform(_ transaction: Transaction) throws {
        last = transaction
        try store.writeSlots(transaction.slots)
        try store.writeBackends(transaction.backends)
        try store.writeServices(transaction.services)
        try store.updateSourceRanges(transaction.sourceRanges)
        try store.updateFrontends(transaction.frontends)
        try store.updateNodePorts(transaction.nodePorts)
        try store.updateServiceCIDRs(transaction.serviceCIDRs)
        try store.deleteFrontends(transaction.removedFrontends.map(\.key))
        try store.deleteNodePorts(transaction.removedNodePorts)
        try store.deleteServiceCIDRs(transaction.removedServiceCIDRs)
        try store.deleteSourceRanges(transaction.removedSourceRanges)
        try store.deleteServices(transaction.removedServices)
        try store.forgetAffinity(transaction.lostAffinity)
        try store.destroyStaleSockets(transaction.staleSockets)
    }
}
