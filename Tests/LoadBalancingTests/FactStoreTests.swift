// Which services a change of facts can matter to (EP-19, SYNC-11, TOPO-8).

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct FactStoreTests {
    let web = ObjectName(namespace: "default", name: "web")
    let other = ObjectName(namespace: "default", name: "other")

    @Test("EP-19, SYNC-11: a value that is known already makes nothing dirty")
    func noOperation() {
        var store = FactStore(nodeName: "n1")
        let facts: [FactChange] = [
            .service(web, service()), .endpointSlice(slice().name, slice()), .node("n1", node()),
            .serviceCIDR("a", ServiceCIDR(name: "a", ranges: ["10.96.0.0/12"])),
        ]
        let first = store.apply(facts)
        #expect(first.services == [web] && first.node && first.serviceCIDRs)
        #expect(store.apply(facts).isEmpty)
        #expect(store.apply([.service(other, nil), .endpointSlice(other, nil), .serviceCIDR("b", nil)]).isEmpty)
    }

    @Test("EP-2: a slice that moves to another service makes both dirty and belongs to the new one alone")
    func move() {
        var store = FactStore(nodeName: "n1")
        _ = store.apply([.endpointSlice(slice().name, slice())])
        let moved = slice { $0.service = other }
        #expect(store.apply([.endpointSlice(moved.name, moved)]).services == [web, other])
        #expect(store.slices(of: web).isEmpty && store.slices(of: other) == [moved])
        #expect(store.apply([.endpointSlice(moved.name, nil)]).services == [other])
        #expect(store.slices(of: other).isEmpty)
    }

    @Test("EP-18: slices of a service are kept in the order of their names, in whatever order they come")
    func order() {
        let slices = ["c", "a", "d", "b"].map { slice(named: $0) }
        var store = FactStore(nodeName: "n1")
        for slice in slices { _ = store.apply([.endpointSlice(slice.name, slice)]) }
        #expect(store.slices(of: web).map(\.name.name) == ["a", "b", "c", "d"])
        _ = store.apply([.endpointSlice(slices[1].name, nil)])
        #expect(store.slices(of: web).map(\.name.name) == ["b", "c", "d"])
    }

    struct NodeChange: CustomTestStringConvertible {
        var name: String
        var change: @Sendable (inout Node) -> Void
        var isDirty: Bool
        var testDescription: String { name }
    }

    static let nodeChanges = [
        NodeChange(name: "zone", change: { $0.zone = "zone-b" }, isDirty: true),
        NodeChange(name: "addresses", change: { $0.addresses = ["192.168.0.3"] }, isDirty: true),
        NodeChange(name: "pod ranges", change: { $0.podCIDRs = [] }, isDirty: true),
        NodeChange(name: "leaving", change: { $0.isLeaving = true }, isDirty: false),
        NodeChange(name: "nothing", change: { _ in }, isDirty: false),
        NodeChange(
            name: "another node",
            change: {
                $0.name = "n2"
                $0.zone = "zone-b"
            }, isDirty: false),
    ]

    @Test("TOPO-8, NODE-6: only this node's zone, addresses and pod ranges matter", arguments: nodeChanges)
    func nodeChange(_ example: NodeChange) {
        var store = FactStore(nodeName: "n1")
        _ = store.apply([.node("n1", node())])
        let changed = node(example.change)
        #expect(store.apply([.node(changed.name, changed)]).node == example.isDirty)
        #expect(store.apply([.node("n1", nil)]).isEmpty)
        #expect(store.node?.name == "n1")
    }

    @Test("HZ-4: that this node is leaving is known although no plan depends on it")
    func leaving() {
        var store = FactStore(nodeName: "n1")
        #expect(store.node == nil)
        _ = store.apply([.node("n1", node { $0.isLeaving = true })])
        #expect(store.node?.isLeaving == true)
    }
}
