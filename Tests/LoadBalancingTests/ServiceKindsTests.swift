// Which services are programmed, at which addresses (semantics section 1).

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct ServiceKindsTests {
    let endpoints = slice(.ready("10.244.2.1"))

    @Test("SVC-1: a ClusterIP leads to the endpoint's address and port")
    func clusterIP() {
        let plan = plan(service(), endpoints)
        #expect(plan.frontendTexts == ["ClusterIP 172.30.0.1:80"])
        #expect(plan.clusterTexts == ["10.244.2.1:8080"])
        #expect(plan.disposition(.clusterIP) == "cluster/cluster")
    }

    @Test("SVC-2: each port of a service has its own endpoints")
    func identity() {
        let service = service {
            $0.ports = [ServicePort(name: "http", port: 80), ServicePort(name: "https", port: 443)]
        }
        let slice = slice(.ready("10.244.2.1")) {
            $0.ports = [SlicePort(name: "http", port: 8080), SlicePort(name: "https", port: 8443)]
        }
        let planner = planner([service], [slice])
        #expect(planner.family(.ipv4, "http")?.clusterTexts == ["10.244.2.1:8080"])
        #expect(planner.family(.ipv4, "https")?.clusterTexts == ["10.244.2.1:8443"])
        #expect(planner.port("https")?.port == 443)
    }

    @Test("SVC-3, SVC-4, SVC-5: node port, load-balancer address and ExternalIP are frontends, wherever the address is")
    func externalAddresses() {
        #expect(
            plan(externalService(), endpoints).frontendTexts == [
                "ClusterIP 172.30.0.1:80", "NodePort 192.168.0.2:30080", "ExternalIP 192.0.2.7:80",
                "LoadBalancer 1.2.3.4:80",
            ])
    }

    @Test("SVC-4: a load-balancer address is served without a node port")
    func withoutNodePort() {
        let service = externalService { $0.ports[0].nodePort = 0 }
        #expect(plan(service, endpoints).frontend(.nodePort) == nil)
        #expect(plan(service, endpoints).disposition(.loadBalancer) == "cluster/cluster")
    }

    struct Unproxied: CustomTestStringConvertible {
        var name: String
        var change: @Sendable (inout Service) -> Void
        var testDescription: String { name }
    }

    static let unproxied = [
        Unproxied(name: "headless", change: { $0.isHeadless = true }),
        Unproxied(name: "ExternalName with a left-over ClusterIP", change: { $0.kind = .externalName }),
        Unproxied(name: "without any ClusterIP", change: { $0.clusterIPs = [:] }),
    ]

    @Test("SVC-7: a headless or ExternalName service has no plan at all", arguments: unproxied)
    func notProxied(_ example: Unproxied) {
        #expect(planner([externalService(example.change)], [endpoints]).servicePorts.isEmpty)
    }

    @Test("SVC-9: the label of another proxy stops and its removal starts service")
    func otherProxy() {
        var planner = planner([service()], [endpoints])
        let foreign = service { $0.belongsToOtherProxy = true }
        #expect(planner.apply([.service(foreign.name, foreign)]).changed.map(\.plan) == [nil])
        #expect(planner.servicePorts.isEmpty)
        #expect(planner.apply([.service(foreign.name, service())]).changed.count == 1)
        #expect(planner.family()?.clusterTexts == ["10.244.2.1:8080"])
    }

    @Test("SVC-10: a changed port number takes the old frontend away and nothing else changes")
    func changeFollows() throws {
        let other = service("other") {
            $0.clusterIPs = [.ipv4: "172.30.0.2"]
        }
        var planner = planner([service(), other], [endpoints])
        let moved = service { $0.ports[0].port = 81 }
        let change = planner.apply([.service(moved.name, moved)])
        #expect(change.changed.map(\.name.description) == ["default/web:http"])
        #expect(planner.family()?.frontendTexts == ["ClusterIP 172.30.0.1:81"])
    }

    @Test(
        "SVC-10: a service that turns into ExternalName, becomes headless or is deleted is removed",
        arguments: unproxied)
    func removal(_ example: Unproxied) {
        var planner = planner([service()], [endpoints])
        let changed = service("web", example.change)
        #expect(planner.apply([.service(changed.name, changed)]).changed.map(\.plan) == [nil])
        _ = planner.apply([.service(changed.name, service())])
        #expect(planner.apply([.service(changed.name, nil)]).changed.map(\.plan) == [nil])
        #expect(planner.servicePorts.isEmpty)
    }

    @Test("SVC-11: with the gate off ExternalIPs are not served, but still make the service externally accessible")
    func externalIPsGate() {
        let service = service {
            $0.externalIPs = ["192.0.2.7"]
            $0.internalTrafficPolicy = .local
            $0.externalTrafficPolicy = .local
        }
        let plan = plan(service, endpoints, settings: settings { $0.externalIPsAllowed = false })
        #expect(plan.frontendTexts == ["ClusterIP 172.30.0.1:80"])
        #expect(plan.usesCluster && plan.usesLocal)
    }

    @Test("SVC-13: the service exists only in the families in which it has a ClusterIP")
    func families() {
        let six = externalService {
            $0.clusterIPs = [.ipv6: "fd00:172::1"]
            $0.externalTrafficPolicy = .local
        }
        let planner = planner([six], [endpoints])
        #expect(planner.port()?.families.map(\.family) == [.ipv6])
        #expect(
            planner.frontendTexts == ["ClusterIP [fd00:172::1]:80/TCP", "NodePort [2001:db8::2]:30080/TCP"])
    }

    @Test("SVC-14: node port and load-balancer addresses are honoured whatever the type says")
    func fieldsDecide() {
        let service = externalService { $0.kind = .clusterIP }
        #expect(plan(service, endpoints).frontends.count == 4)
    }

    struct Policy: CustomTestStringConvertible {
        var kind: Service.Kind
        var hasExternalIP: Bool
        var isLocal: Bool
        var testDescription: String { "\(kind.rawValue), ExternalIP \(hasExternalIP)" }
    }

    static let policies = [
        Policy(kind: .clusterIP, hasExternalIP: false, isLocal: false),
        Policy(kind: .clusterIP, hasExternalIP: true, isLocal: true),
        Policy(kind: .nodePort, hasExternalIP: false, isLocal: true),
        Policy(kind: .loadBalancer, hasExternalIP: false, isLocal: true),
    ]

    @Test("SVC-14: externalTrafficPolicy Local counts only for external types and for ExternalIPs", arguments: policies)
    func externalPolicy(_ example: Policy) {
        let service = service {
            $0.kind = example.kind
            $0.externalIPs = example.hasExternalIP ? ["192.0.2.7"] : []
            $0.ports[0].nodePort = 30080
            $0.externalTrafficPolicy = .local
        }
        let plan = plan(service, endpoints)
        #expect(plan.disposition(.nodePort) == (example.isLocal ? "drop/cluster" : "cluster/cluster"))
        #expect(plan.usesLocal == example.isLocal)
    }

    struct Lists: CustomTestStringConvertible {
        var internalPolicy: Service.TrafficPolicy
        var externalPolicy: Service.TrafficPolicy
        var nodePort: UInt16
        var usesCluster: Bool
        var usesLocal: Bool
        var testDescription: String { "\(internalPolicy), \(externalPolicy), node port \(nodePort)" }
    }

    static let lists = [
        Lists(internalPolicy: .cluster, externalPolicy: .cluster, nodePort: 0, usesCluster: true, usesLocal: false),
        Lists(internalPolicy: .cluster, externalPolicy: .cluster, nodePort: 30080, usesCluster: true, usesLocal: false),
        Lists(internalPolicy: .cluster, externalPolicy: .local, nodePort: 0, usesCluster: true, usesLocal: false),
        Lists(internalPolicy: .cluster, externalPolicy: .local, nodePort: 30080, usesCluster: true, usesLocal: true),
        Lists(internalPolicy: .local, externalPolicy: .cluster, nodePort: 0, usesCluster: false, usesLocal: true),
        Lists(internalPolicy: .local, externalPolicy: .cluster, nodePort: 30080, usesCluster: true, usesLocal: true),
        Lists(internalPolicy: .local, externalPolicy: .local, nodePort: 0, usesCluster: false, usesLocal: true),
        Lists(internalPolicy: .local, externalPolicy: .local, nodePort: 30080, usesCluster: true, usesLocal: true),
    ]

    @Test("EP-21: a port uses exactly the lists that its policies and external addresses need", arguments: lists)
    func neededLists(_ example: Lists) {
        let service = service {
            $0.kind = .nodePort
            $0.internalTrafficPolicy = example.internalPolicy
            $0.externalTrafficPolicy = example.externalPolicy
            $0.ports[0].nodePort = example.nodePort
        }
        let plan = plan(service, slice(.ready("10.244.1.1", on: "n1")))
        #expect(plan.usesCluster == example.usesCluster && plan.usesLocal == example.usesLocal)
        #expect(plan.cluster.isEmpty == !example.usesCluster)
        #expect(plan.local.isEmpty == !example.usesLocal)
    }

    @Test("EP-21: only external addresses of the family make a port externally accessible in it")
    func listsPerFamily() {
        let service = service {
            $0.clusterIPs = [.ipv4: "172.30.0.1", .ipv6: "fd00:172::1"]
            $0.internalTrafficPolicy = .local
            $0.externalIPs = ["fd00:9::9"]
        }
        let planner = planner([service], [endpoints])
        #expect(planner.family(.ipv4)?.usesCluster == false)
        #expect(planner.family(.ipv6)?.usesCluster == true)
    }

    @Test("AFF-3, AFF-6: session affinity and its timeout are the service's, and switch with it")
    func affinity() {
        var planner = planner([service { $0.sessionAffinitySeconds = 10800 }], [endpoints])
        #expect(planner.port()?.sessionAffinitySeconds == 10800)
        #expect(planner.apply([.service(service().name, service())]).changed.count == 1)
        #expect(planner.port()?.sessionAffinitySeconds == nil)
    }

    @Test("A service without an algorithm of its own takes the node's")
    func algorithm() {
        let maglev = settings { $0.defaultAlgorithm = .maglev }
        #expect(planner([service()], [endpoints], settings: maglev).port()?.algorithm == .maglev)
        let own = service { $0.algorithm = .random }
        #expect(planner([own], [endpoints], settings: maglev).port()?.algorithm == .random)
    }
}
