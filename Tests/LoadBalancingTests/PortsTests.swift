// Ports and protocols (semantics section 2), and ports that cannot be programmed.

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct PortsTests {
    @Test("PORT-1: removing one port does not touch the other")
    func multiPort() {
        let both = service { $0.ports = [ServicePort(name: "http", port: 80), ServicePort(name: "admin", port: 90)] }
        let endpoints = slice(.ready("10.244.2.1")) {
            $0.ports = [SlicePort(name: "http", port: 8080), SlicePort(name: "admin", port: 9090)]
        }
        var planner = planner([both], [endpoints])
        let change = planner.apply([.service(both.name, service())])
        #expect(change.changed == [PlanChange.Port(name: change.changed[0].name, plan: nil)])
        #expect(change.changed[0].name.portName == "admin")
    }

    @Test("PORT-2, PORT-5: one number with TCP, UDP and SCTP is three ports, each with its own targets")
    func protocols() {
        let service = service {
            $0.kind = .nodePort
            $0.ports = TransportProtocol.allCases.map {
                ServicePort(name: "dns", protocol: $0, port: 53, nodePort: 30053)
            }
        }
        let endpoints = slice(.ready("10.244.2.1")) {
            $0.ports = TransportProtocol.allCases.map {
                SlicePort(name: "dns", protocol: $0, port: 5300 + UInt16($0.rawValue))
            }
        }
        let planner = planner([service], [endpoints])
        #expect(planner.problems.isEmpty)
        for protocolKind in TransportProtocol.allCases {
            let plan = planner.family(.ipv4, "dns", protocolKind)
            #expect(plan?.clusterTexts == ["10.244.2.1:\(5300 + Int(protocolKind.rawValue))"])
            #expect(plan?.frontendTexts == ["ClusterIP 172.30.0.1:53", "NodePort 192.168.0.2:30053"])
        }
    }

    @Test("PORT-2: services may share an address with different protocols")
    func acrossServices() {
        let tcp = service("tcp") { $0.externalIPs = ["192.0.2.7"] }
        let udp = service("udp") {
            $0.clusterIPs = [.ipv4: "172.30.0.2"]
            $0.externalIPs = ["192.0.2.7"]
            $0.ports[0].protocolKind = .udp
        }
        let planner = planner([tcp, udp], [])
        #expect(planner.problems.isEmpty)
        #expect(planner.frontendTexts.contains("ExternalIP 192.0.2.7:80/TCP"))
        #expect(planner.frontendTexts.contains("ExternalIP 192.0.2.7:80/UDP"))
    }

    @Test("PORT-3: a protocol that the port does not have is refused at the ClusterIP and ignored elsewhere")
    func protocolMustMatch() {
        let planner = planner([externalService()], [slice(.ready("10.244.2.1"))])
        let cluster = planner.explain(from: .pod(nil), to: "172.30.0.1:80/UDP")
        #expect(cluster.outcome == .reject)
        #expect(cluster.rules == ["PORT-3", "SVC-12"])
        for target: FrontendAddress in ["1.2.3.4:80/UDP", "192.0.2.7:80/UDP", "192.168.0.2:30080/UDP"] {
            let answer = planner.explain(from: .external(nil), to: target)
            #expect(answer.outcome == .notHandled)
            #expect(answer.rules == ["PORT-3"])
            #expect(answer.reason.contains("would send the packet back") == (target.address.port == 80))
        }
    }

    struct Clash: CustomTestStringConvertible {
        var name: String
        var second: ServicePort
        var field: String
        var testDescription: String { name }
    }

    static let clashes = [
        Clash(
            name: "name and protocol", second: ServicePort(name: "http", port: 81, nodePort: 30081),
            field: "spec.ports[1].name"),
        Clash(
            name: "number and protocol", second: ServicePort(name: "again", port: 80, nodePort: 30081),
            field: "spec.ports[1].port"),
        Clash(name: "no number", second: ServicePort(name: "none", port: 0), field: "spec.ports[1].port"),
    ]

    @Test(
        "SVC-2, INV-8: of two ports with one identity or number the first is served, the other reported",
        arguments: clashes)
    func clash(_ example: Clash) {
        let service = service { $0.ports.append(example.second) }
        let planner = planner([service], [slice(.ready("10.244.2.1"))])
        #expect(planner.servicePorts.map(\.port) == [80])
        #expect(planner.problems.map(\.object) == ["Service default/web"])
        #expect(planner.problems.map(\.field) == [example.field])
    }

    @Test("INV-8: within a service a node port that is taken is left out and reported")
    func nodePortClash() {
        let service = service {
            $0.kind = .nodePort
            $0.ports = [
                ServicePort(name: "http", port: 80, nodePort: 30080), ServicePort(name: "b", port: 81, nodePort: 30080),
            ]
        }
        let planner = planner([service], [])
        #expect(
            planner.frontendTexts == [
                "ClusterIP 172.30.0.1:81/TCP", "ClusterIP 172.30.0.1:80/TCP", "NodePort 192.168.0.2:30080/TCP",
            ])
        #expect(planner.problems.count == 1)
    }

    @Test(
        "LBSR-2: an address that is both ExternalIP and load-balancer address of a service is served once, restricted")
    func sameAddressTwice() {
        let service = externalService {
            $0.externalIPs = ["1.2.3.4", "1.2.3.4"]
            $0.loadBalancerSourceRanges = ["203.0.113.0/25"]
        }
        let planner = planner([service], [])
        #expect(planner.family()?.frontendTexts.filter { $0.contains("1.2.3.4") } == ["LoadBalancer 1.2.3.4:80"])
        #expect(planner.problems.isEmpty)
    }
}
