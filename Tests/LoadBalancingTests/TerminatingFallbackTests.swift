// What serves while nothing is ready any more, and what "no endpoints" means (EP-13…EP-15, REJ-5).

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct TerminatingFallbackTests {
    @Test("EP-13: without any ready endpoint exactly the serving terminating ones are used, anywhere, hints ignored")
    func clusterList() {
        let plan = plan(
            service(),
            slice(
                .terminating("10.244.1.1", on: "n1", zones: ["zone-b"]), .terminating("10.244.2.1", zones: ["zone-a"]),
                .unready("10.244.3.1", zones: ["zone-a"]),
                Endpoint(address: "10.244.3.2", isReady: false, isServing: false, isTerminating: true)))
        #expect(plan.clusterTexts == ["10.244.1.1:8080", "10.244.2.1:8080"])
    }

    @Test("EP-13: one ready endpoint anywhere ends the fallback")
    func oneReady() {
        let plan = plan(service(), slice(.terminating("10.244.1.1", on: "n1"), .ready("10.244.2.1")))
        #expect(plan.clusterTexts == ["10.244.2.1:8080"])
    }

    @Test("EP-14: local terminating endpoints serve although remote ones are ready")
    func localList() {
        let plan = plan(
            externalService { $0.externalTrafficPolicy = .local },
            slice(.terminating("10.244.1.1", on: "n1"), .unready("10.244.1.2", on: "n1"), .ready("10.244.2.1")))
        #expect(plan.localTexts == ["10.244.1.1:8080"])
        #expect(plan.clusterTexts == ["10.244.2.1:8080"])
        #expect(plan.disposition(.nodePort) == "local/cluster")
    }

    @Test("EP-14: a ready local endpoint ends the local fallback, a remote one does not")
    func localReady() {
        let plan = plan(
            service { $0.internalTrafficPolicy = .local },
            slice(.terminating("10.244.1.1", on: "n1"), .ready("10.244.1.2", on: "n1")))
        #expect(plan.localTexts == ["10.244.1.2:8080"])
    }

    @Test("EP-13, EP-14: the two fallbacks are decided independently")
    func independent() {
        let plan = plan(
            externalService { $0.externalTrafficPolicy = .local },
            slice(.terminating("10.244.1.1", on: "n1"), .terminating("10.244.2.1", on: "n2")))
        #expect(plan.localTexts == ["10.244.1.1:8080"])
        #expect(plan.clusterTexts == ["10.244.1.1:8080", "10.244.2.1:8080"])
    }

    @Test("EP-15: a remote terminating endpoint that serves makes it silence, one that does not makes it refusal")
    func dropOrReject() {
        let local = externalService { $0.externalTrafficPolicy = .local }
        #expect(plan(local, slice(.terminating("10.244.2.1"))).disposition(.loadBalancer) == "drop/cluster")
        #expect(plan(local, slice(.unready("10.244.2.1"))).disposition(.loadBalancer) == "reject/reject")
    }

    @Test("EP-15: usable endpoints elsewhere count although only the local list is wanted")
    func localOnly() {
        let local = service { $0.internalTrafficPolicy = .local }
        let plan = plan(local, slice(.terminating("10.244.2.1")))
        #expect(!plan.usesCluster)
        #expect(plan.disposition(.clusterIP) == "drop/drop")
    }

    @Test("REJ-5: the disposition follows endpoints from one to none and back")
    func transitions() {
        var planner = planner([service()], [slice(.ready("10.244.2.1"))])
        #expect(planner.family()?.disposition(.clusterIP) == "cluster/cluster")
        _ = planner.apply([.endpointSlice(slice().name, nil)])
        #expect(planner.family()?.disposition(.clusterIP) == "reject/reject")
        _ = planner.apply([.endpointSlice(slice().name, slice(.ready("10.244.2.1")))])
        #expect(planner.family()?.disposition(.clusterIP) == "cluster/cluster")
    }
}
