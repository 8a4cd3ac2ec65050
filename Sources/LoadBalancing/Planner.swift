// This node's plan, kept up to date: facts in, changed service ports out. It puts together the facts, the rules for one
// service (ServicePlanner) and what services claim from each other (FrontendClaims). The cost of a change is that of
// the services it touches.

package import NetworkTypes
package import ServiceModel

package struct Planner: Sendable {
    package private(set) var settings: NodeSettings
    package private(set) var facts: FactStore
    package private(set) var servicePlanner: ServicePlanner
    private var nodeAddresses: [IPAddress]?
    private var claims = FrontendClaims()
    private var plans: [ObjectName: ServicePlan] = [:]
    package private(set) var noLocalEndpoints = NoLocalEndpoints()

    /// `nodeAddresses` as in `setNodeAddresses`.
    package init(settings: NodeSettings, nodeAddresses: [IPAddress]? = nil) {
        let node = NodeView(node: nil, settings: settings, addresses: nodeAddresses)
        self.settings = settings
        self.nodeAddresses = nodeAddresses
        facts = FactStore(nodeName: settings.nodeName)
        servicePlanner = ServicePlanner(node: node, settings: settings)
    }

    /// Takes a batch of changes, in this order, and works out what they come to together.
    package mutating func apply(_ changes: [FactChange]) -> PlanChange {
        let dirty = facts.apply(changes)
        let isOtherNode = dirty.node && refreshNode()
        var change = replan(isOtherNode ? Set(facts.services.keys).union(dirty.services) : dirty.services)
        if dirty.serviceCIDRs { change.serviceCIDRs = serviceCIDRs }
        return change
    }

    /// All addresses that this node really has, as the kernel or the operator says; nil: take the Node object's.
    package mutating func setNodeAddresses(_ addresses: [IPAddress]?) -> PlanChange {
        nodeAddresses = addresses
        return refreshNode() ? replan(Set(facts.services.keys)) : PlanChange()
    }

    /// The operator has decided otherwise. The node's name stays.
    package mutating func setSettings(_ newer: NodeSettings) -> PlanChange {
        guard newer != settings else { return PlanChange() }
        let ranges = serviceCIDRs
        settings = newer
        servicePlanner = ServicePlanner(
            node: NodeView(node: facts.node, settings: newer, addresses: nodeAddresses), settings: newer)
        var change = replan(Set(facts.services.keys))
        if serviceCIDRs != ranges { change.serviceCIDRs = serviceCIDRs }
        return change
    }

    /// Returns whether the rules see another node now.
    private mutating func refreshNode() -> Bool {
        let node = NodeView(node: facts.node, settings: settings, addresses: nodeAddresses)
        guard node != servicePlanner.node else { return false }
        servicePlanner = ServicePlanner(node: node, settings: settings)
        return true
    }

    private mutating func replan(_ services: Set<ObjectName>) -> PlanChange {
        var affected: Set<ObjectName> = []
        var fresh: [(name: ObjectName, plan: ServicePlan)] = []
        fresh.reserveCapacity(services.count)
        for name in services.sorted() {
            let plan = plan(name)
            let claimant = Claimant(creationTime: facts.services[name]?.creationTime, service: name)
            affected.formUnion(claims.replace(plan.frontendKeys, of: claimant))
            fresh.append((name, plan))
        }
        affected.subtract(services)
        if !affected.isEmpty {
            for name in affected { fresh.append((name, plan(name))) }
            fresh.sort { $0.name < $1.name }
        }
        var change = PlanChange()
        change.changed.reserveCapacity(fresh.count)
        for (name, plan) in fresh { adopt(settled(plan), of: name, into: &change) }
        return change
    }

    /// What the service comes to on its own.
    private func plan(_ name: ObjectName) -> ServicePlan {
        guard let service = facts.services[name] else { return ServicePlan() }
        return servicePlanner.plan(service, slices: facts.slices(of: name))
    }

    /// Leaves out the frontends that another service owns, and says so: once for each address, and for a node port once
    /// for all addresses.
    private func settled(_ plan: consuming ServicePlan) -> ServicePlan {
        guard claims.hasContested else { return plan }
        var problems: [ObjectProblem] = []
        for port in plan.ports.indices {
            let name = plan.ports[port].name
            for family in plan.ports[port].families.indices {
                plan.ports[port].families[family].frontends.removeAll { frontend in
                    let key = FrontendAddress(address: frontend.address, protocol: name.protocolKind)
                    guard let owner = claims.ownerOfContested(key), owner != name.service else { return false }
                    let problem = frontend.overlapProblem(of: name, owner: owner)
                    if problems.last != problem { problems.append(problem) }
                    return true
                }
            }
        }
        plan.problems += problems
        return plan
    }

    /// Makes the plan the current one and notes how it differs from the last.
    private mutating func adopt(_ plan: consuming ServicePlan, of name: ObjectName, into change: inout PlanChange) {
        let old = plans[name]
        guard plan != (old ?? ServicePlan()) else { return }
        plan.differences(from: old?.ports ?? [], into: &change.changed)
        if !change.surrendersFrontends, let old { change.surrendersFrontends = plan.lacksFrontends(of: old) }
        if plan.problems != old?.problems ?? [] { change.problems[name] = plan.problems }
        for port in old?.ports ?? [] { noLocalEndpoints.count(port, by: -1) }
        for port in plan.ports { noLocalEndpoints.count(port, by: 1) }
        plans[name] = plan.ports.isEmpty && plan.problems.isEmpty ? nil : plan
    }
}

// What is the case now.
extension Planner {
    /// All service ports, ordered by name. Cost: all of them.
    package var servicePorts: [ServicePortPlan] {
        plans.sorted { $0.key < $1.key }.flatMap(\.value.ports)
    }

    /// All problems, ordered by service. Cost: all services.
    package var problems: [ObjectProblem] {
        plans.filter { !$0.value.problems.isEmpty }.sorted { $0.key < $1.key }.flatMap(\.value.problems)
    }

    package func servicePlan(of service: ObjectName) -> ServicePlan? { plans[service] }

    package func servicePort(named name: ServicePortName) -> ServicePortPlan? {
        plans[name.service]?.ports.first { $0.name == name }
    }

    /// The service that serves the frontend; nil when there is no such frontend.
    package func owner(of frontend: FrontendAddress) -> ObjectName? { claims.owner(of: frontend) }

    /// Whether other services claim the frontend as well (SVC-15).
    package func isContested(_ frontend: FrontendAddress) -> Bool { claims.ownerOfContested(frontend) != nil }

    /// Where health-check node ports are served (HC-4): on every address, or on those that the settings name.
    package var healthCheckAddresses: PerFamily<[IPAddress]> {
        PerFamily { NodePortAddresses.listening($0, on: servicePlanner.node, settings: settings) }
    }

    /// The ranges of ServiceCIDR objects and of the settings, ordered, without duplicates (SVC-12).
    package var serviceCIDRs: [CIDR] { Set(settings.serviceCIDRs + facts.serviceCIDRRanges).sorted() }
}

extension ServicePlan {
    /// What the service claims; distinct.
    fileprivate var frontendKeys: [FrontendAddress] {
        var keys: [FrontendAddress] = []
        for port in ports {
            for family in port.families {
                for frontend in family.frontends {
                    keys.append(FrontendAddress(address: frontend.address, protocol: port.name.protocolKind))
                }
            }
        }
        return keys
    }

    /// Whether a service port of the old plan had a frontend that it has no more.
    fileprivate func lacksFrontends(of old: ServicePlan) -> Bool {
        old.ports.contains { before in
            guard let now = ports.first(where: { $0.name == before.name }) else { return true }
            guard now != before else { return false }
            let kept = Set(now.families.flatMap(\.frontends).lazy.map(\.address))
            return before.families.contains { $0.frontends.contains { !kept.contains($0.address) } }
        }
    }

    /// Both lists are ordered by name.
    fileprivate func differences(from old: [ServicePortPlan], into changed: inout [PlanChange.Port]) {
        var (oldIndex, newIndex) = (0, 0)
        while oldIndex < old.count || newIndex < ports.count {
            let oldName = oldIndex < old.count ? old[oldIndex].name : nil
            let newName = newIndex < ports.count ? ports[newIndex].name : nil
            if let oldName, newName.map({ oldName < $0 }) ?? true {
                changed.append(PlanChange.Port(name: oldName, plan: nil))
                oldIndex += 1
            } else if let newName {
                let isSame = oldName == newName && old[oldIndex] == ports[newIndex]
                if !isSame { changed.append(PlanChange.Port(name: newName, plan: ports[newIndex])) }
                if oldName == newName { oldIndex += 1 }
                newIndex += 1
            }
        }
    }
}

extension FrontendPlan {
    /// Names both services (SVC-15). Formatted only for the few frontends that are contested.
    fileprivate func overlapProblem(of port: ServicePortName, owner: ObjectName) -> ObjectProblem {
        let (field, what) =
            switch kind {
            case .clusterIP: ("spec.clusterIPs", "ClusterIP \(address)")
            case .nodePort: ("spec.ports[].nodePort", "node port \(address.port)")
            case .externalIP: ("spec.externalIPs", "ExternalIP \(address)")
            case .loadBalancer: ("status.loadBalancer.ingress", "load-balancer address \(address)")
            }
        return ObjectProblem(
            object: "Service \(port.service)", field: field,
            message: "The \(what)/\(port.protocolKind) of service \(port.service) is already served by the older "
                + "service \(owner), which keeps it (SVC-15).")
    }
}
