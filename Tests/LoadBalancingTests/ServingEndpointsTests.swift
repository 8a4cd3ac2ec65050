// Which flows are not stale (CT-2…CT-4): the list that sockets and conntrack entries are compared with.

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

    @Test("CT-2: a changed slice of a service that has or had a UDP port is announced, a changed service is not")
    func announced() {
        let udp = service { $0.ports[0].protocolKind = .udp }
        let endpoints = slice(.ready("10.244.2.1"))
        var planner = planner([udp], [])
        #expect(planner.apply([.endpointSlice(endpoints.name, endpoints)]).udpServicesWithChangedSlices == [udp.name])
        let relabelled = service {
            $0 = udp
            $0.sessionAffinitySeconds = 10
        }
        #expect(planner.apply([.service(udp.name, relabelled)]).udpServicesWithChangedSlices.isEmpty)
        let gone = planner.apply([.endpointSlice(endpoints.name, nil), .service(udp.name, nil)])
        #expect(gone.udpServicesWithChangedSlices == [udp.name])
        #expect(planner.apply([.endpointSlice(endpoints.name, endpoints)]).udpServicesWithChangedSlices.isEmpty)
    }

    @Test("CT-2: slices of TCP services are not announced")
    func tcp() {
        var planner = planner([service()], [])
        #expect(planner.apply([.endpointSlice(slice().name, slice())]).udpServicesWithChangedSlices.isEmpty)
    }
}
