// The planner reports what really is different, and only that (EP-19, SYNC-7, SYNC-11).

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct PlanChangeTests {
    let endpoints = slice(.ready("10.244.2.1"))

    @Test("EP-19, SYNC-11: facts that are delivered again change nothing")
    func noChange() {
        var planner = planner([externalService()], [endpoints])
        #expect(planner.apply(facts([externalService()], [endpoints])).isEmpty)
    }

    @Test("SYNC-11: a fact that makes no difference to this node changes nothing")
    func irrelevant() {
        var planner = planner([service()], [endpoints])
        let relabelled = slice(.ready("10.244.2.1"), .unready("10.244.2.2"))
        #expect(planner.apply([.endpointSlice(relabelled.name, relabelled)]).isEmpty)
    }

    @Test("SYNC-7: a change of one service reports that service only, ordered by name")
    func proportional() {
        let others = (0..<20).map { index in
            service("other-\(index)") { $0.clusterIPs = [.ipv4: IPAddress(ipv4: 0xac1e_0100 + UInt32(index))] }
        }
        var planner = planner(others + [service()], [endpoints])
        #expect(planner.apply([.endpointSlice(endpoints.name, nil)]).changed.map(\.name.service.name) == ["web"])
        #expect(planner.servicePorts.map(\.name) == planner.servicePorts.map(\.name).sorted())
        let all = planner.apply([.service(others[3].name, nil), .endpointSlice(endpoints.name, endpoints)])
        #expect(all.changed.map(\.name.service.name) == ["other-3", "web"])
        #expect(all.changed.map { $0.plan == nil } == [true, false])
    }

    @Test("SYNC-9: a change tells whether a service port gives up a frontend, which another may take over")
    func surrender() {
        var planner = Planner(settings: settings())
        #expect(
            !planner.apply(facts([service(), service("b") { $0.clusterIPs = [.ipv4: "172.30.0.2"] }], [endpoints]))
                .surrendersFrontends)
        let other = slice(.ready("10.244.2.9"))
        #expect(!planner.apply([.endpointSlice(other.name, other)]).surrendersFrontends)
        let more = service { $0.externalIPs = ["192.0.2.7"] }
        #expect(!planner.apply([.service(more.name, more)]).surrendersFrontends)
        #expect(planner.apply([.service(more.name, service())]).surrendersFrontends)
        let renamed = service { $0.ports[0].name = "web" }
        #expect(planner.apply([.service(renamed.name, renamed)]).surrendersFrontends)
        #expect(planner.apply([.service(renamed.name, nil)]).surrendersFrontends)
    }

    @Test("A batch that undoes itself changes nothing")
    func undone() {
        var planner = planner([service()], [endpoints])
        let change = planner.apply([.endpointSlice(endpoints.name, nil), .endpointSlice(endpoints.name, endpoints)])
        #expect(change.changed.isEmpty)
    }

    @Test("A slice that arrives before its service waits for it")
    func sliceFirst() {
        var planner = planner([], [endpoints])
        #expect(planner.servicePorts.isEmpty)
        #expect(planner.apply([.service(service().name, service())]).changed.count == 1)
        #expect(planner.family()?.clusterTexts == ["10.244.2.1:8080"])
    }

    @Test("EP-2: a slice that moves to another service changes both")
    func movedSlice() {
        let other = service("other") { $0.clusterIPs = [.ipv4: "172.30.0.2"] }
        var planner = planner([service(), other], [endpoints])
        let moved = slice(.ready("10.244.2.1")) { $0.service = other.name }
        #expect(
            planner.apply([.endpointSlice(moved.name, moved)]).changed.map(\.name.service.name) == ["other", "web"])
        #expect(planner.family(of: "other")?.clusterTexts == ["10.244.2.1:8080"])
        #expect(planner.family()?.disposition(.clusterIP) == "reject/reject")
    }
}
