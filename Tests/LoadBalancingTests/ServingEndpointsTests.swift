// Which flows are not stale (CT-3, CT-4): the list that sockets are compared with.

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct ServingEndpointsTests {
    @Test("CT-3, CT-4: every serving endpoint of the port is listed, whatever policies, hints and readiness say")
    func serving() {
        let plan = plan(
            service { $0.internalTrafficPolicy = .local },
            slice(
                .ready("10.244.2.3", on: "n2", zones: ["zone-b"]), .terminating("10.244.2.1"),
                Endpoint(address: "10.244.2.2", isReady: false, isServing: true), .unready("10.244.2.4"),
                Endpoint(address: "10.244.2.5", isReady: false, isServing: false, isTerminating: true)))
        #expect(plan.serving.map(\.description) == ["10.244.2.1:8080", "10.244.2.2:8080", "10.244.2.3:8080"])
        #expect(plan.cluster.isEmpty && plan.local.isEmpty)
    }

    @Test("CT-4, EP-16: a published endpoint that is not serving is not stale while it is used")
    func published() {
        let plan = plan(service(), slice(Endpoint(address: "10.244.2.1", isReady: true, isServing: false)))
        #expect(plan.serving == plan.cluster.map(\.address))
    }

    @Test("CT-3: endpoints of other ports are not listed")
    func otherPorts() {
        let plan = plan(
            service(),
            slice(.ready("10.244.2.1")) {
                $0.ports = [SlicePort(name: "http", port: 8080), SlicePort(name: "x", port: 9)]
            })
        #expect(plan.serving.map(\.description) == ["10.244.2.1:8080"])
    }
}
