// What a batch of facts changed in this node's plan. Empty when the facts made no difference (EP-19, SYNC-11).

package import NetworkTypes
package import ServiceModel

package struct PlanChange: Hashable, Sendable {
    package struct Port: Hashable, Sendable {
        package var name: ServicePortName
        /// Nil when the service port is gone.
        package var plan: ServicePortPlan?

        package init(name: ServicePortName, plan: ServicePortPlan?) {
            self.name = name
            self.plan = plan
        }
    }

    /// Ordered by name; only those that really are different.
    package var changed: [Port] = []
    /// Services whose problems are different now, with all of them; an empty list: none is left.
    package var problems: [ObjectName: [ObjectProblem]] = [:]
    /// Whether some service port gives up a frontend, which another may take over in the same change.
    package var surrendersFrontends = false
    /// All ServiceCIDR ranges, if they are different now (SVC-12).
    package var serviceCIDRs: [CIDR]?

    package init() {}

    package var isEmpty: Bool { changed.isEmpty && problems.isEmpty && serviceCIDRs == nil }
}
