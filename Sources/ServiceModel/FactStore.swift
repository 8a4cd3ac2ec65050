// What is known now: services, their slices, this node and the ServiceCIDRs, put together from changes. It answers
// which services a change can matter to; what it means for them is decided in LoadBalancing.

package import NetworkTypes

package struct FactStore: Sendable {
    package let nodeName: String
    package private(set) var services: [ObjectName: Service] = [:]
    /// This node; other nodes are not kept (NODE-6). The last value known stays when the object is deleted (NODE-5).
    package private(set) var node: Node?
    /// By service, whether or not that service is known; each list is ordered by slice name and never empty.
    private var slicesByService: [ObjectName: [EndpointSlice]] = [:]
    private var serviceOfSlice: [ObjectName: ObjectName] = [:]
    private var serviceCIDRs: [String: ServiceCIDR] = [:]

    /// An empty name belongs to no node, so that nothing is local (EP-10).
    package init(nodeName: String) {
        self.nodeName = nodeName
    }

    /// The slices that name the service, ordered by slice name.
    package func slices(of service: ObjectName) -> [EndpointSlice] { slicesByService[service] ?? [] }

    /// Nil when it is not known.
    package func slice(named name: ObjectName) -> EndpointSlice? {
        serviceOfSlice[name].flatMap { slicesByService[$0]?.first { $0.name == name } }
    }

    /// The ranges of all ServiceCIDR objects, ordered, without duplicates.
    package var serviceCIDRRanges: [CIDR] { Set(serviceCIDRs.values.flatMap(\.ranges)).sorted() }

    /// Takes one change. A value equal to the one that is known changes nothing (EP-19, SYNC-11). Cost: that of the
    /// object, and of the other slices of its service.
    package mutating func apply(_ change: FactChange, into dirty: inout DirtyFacts) {
        switch change {
        case .service(let name, let service): set(service, named: name, into: &dirty)
        case .endpointSlice(let name, let slice): set(slice, named: name, into: &dirty)
        case .node(let name, let node): set(node, named: name, into: &dirty)
        case .serviceCIDR(let name, let serviceCIDR):
            guard serviceCIDRs[name]?.ranges != serviceCIDR?.ranges else { return }
            serviceCIDRs[name] = serviceCIDR
            dirty.serviceCIDRs = true
        }
    }

    /// Takes several changes, in this order.
    package mutating func apply(_ changes: some Sequence<FactChange>) -> DirtyFacts {
        var dirty = DirtyFacts()
        for change in changes { apply(change, into: &dirty) }
        return dirty
    }

    private mutating func set(_ service: Service?, named name: ObjectName, into dirty: inout DirtyFacts) {
        let old = service.map { services.updateValue($0, forKey: name) } ?? services.removeValue(forKey: name)
        if old != service { dirty.services.insert(name) }
    }

    private mutating func set(_ slice: EndpointSlice?, named name: ObjectName, into dirty: inout DirtyFacts) {
        let owner = slice?.service
        let old = owner.map { serviceOfSlice.updateValue($0, forKey: name) } ?? serviceOfSlice.removeValue(forKey: name)
        if let old, old != owner {
            removeSlice(named: name, of: old)
            dirty.services.insert(old)
        }
        guard let slice, Self.insert(slice, into: &slicesByService[slice.service, default: []]) else { return }
        dirty.services.insert(slice.service)
    }

    private mutating func removeSlice(named name: ObjectName, of service: ObjectName) {
        slicesByService[service]?.removeAll { $0.name == name }
        if slicesByService[service]?.isEmpty == true { slicesByService[service] = nil }
    }

    /// Returns whether anything is different now.
    private static func insert(_ slice: EndpointSlice, into slices: inout [EndpointSlice]) -> Bool {
        let index = slices.firstIndex { $0.name >= slice.name } ?? slices.endIndex
        guard index < slices.endIndex, slices[index].name == slice.name else {
            slices.insert(slice, at: index)
            return true
        }
        let isSame = slices[index].hasSameContent(as: slice)
        slices[index] = slice
        return !isSame
    }

    private mutating func set(_ changed: Node?, named name: String, into dirty: inout DirtyFacts) {
        guard name == nodeName, let changed, node != changed else { return }
        let isLeavingOnly = node.map {
            $0.zone == changed.zone && $0.addresses == changed.addresses && $0.podCIDRs == changed.podCIDRs
        }
        node = changed
        if isLeavingOnly != true { dirty.node = true }
    }
}

/// What a batch of changes can have an effect on.
package struct DirtyFacts: Hashable, Sendable {
    /// Services that changed themselves, or of which a slice changed.
    package var services: Set<ObjectName> = []
    /// Zone, addresses or pod ranges of this node changed: every service is dirty (TOPO-8).
    package var node = false
    package var serviceCIDRs = false

    package init() {}

    package var isEmpty: Bool { services.isEmpty && !node && !serviceCIDRs }
}
