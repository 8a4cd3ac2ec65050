// Mismatched input that reaches the rules (semantics section 14); text that cannot be read is the decoders' matter.

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct InvalidInputTests {
    @Test("INV-4: a ClusterIP under the wrong family makes the service absent in that family")
    func wrongFamily() {
        let service = service { $0.clusterIPs = [.ipv4: "fd00:172::1", .ipv6: "fd00:172::1"] }
        #expect(planner([service], []).port()?.families.map(\.family) == [.ipv6])
        let only = LoadBalancingTests.service { $0.clusterIPs = [.ipv4: "fd00:172::1"] }
        #expect(planner([only], []).servicePorts.isEmpty)
    }

    @Test("INV-7: a Local load balancer without a health-check port is served, reported and has no listener")
    func noHealthCheckPort() {
        let service = externalService {
            $0.externalTrafficPolicy = .local
            $0.healthCheckNodePort = 0
        }
        let planner = planner([service], [slice(.ready("10.244.1.1", on: "n1"))])
        #expect(planner.port()?.healthCheckNodePort == nil)
        #expect(planner.family()?.disposition(.loadBalancer) == "local/cluster")
        #expect(planner.problems.map(\.field) == ["spec.healthCheckNodePort"])
    }

    @Test("INV-8: a broken service does not keep the others from being served, and its problem goes with it")
    func others() {
        let broken = service("broken") {
            $0.clusterIPs = [.ipv4: "172.30.0.9"]
            $0.ports = [ServicePort(name: "x", port: 0)]
        }
        var planner = planner([broken, service()], [slice(.ready("10.244.2.1"))])
        #expect(planner.servicePorts.map(\.name.service.name) == ["web"])
        #expect(planner.problems.map(\.object) == ["Service default/broken"])
        #expect(planner.apply([.service(broken.name, nil)]).problems == [broken.name: []])
        #expect(planner.problems.isEmpty)
    }

    @Test("INV-9: a service name may begin with a digit")
    func name() {
        #expect(planner([service("1abc")], []).servicePorts.map(\.name.description) == ["default/1abc:http"])
    }
}
