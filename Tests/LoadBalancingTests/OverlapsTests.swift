// Services that claim one frontend (SVC-15).

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct OverlapsTests {
    static func service(_ name: String, created: Int64?, _ change: (inout Service) -> Void = { _ in }) -> Service {
        LoadBalancingTests.service(name) {
            $0.clusterIPs = [.ipv4: IPAddress(ipv4: 0xac1e_0000 + UInt32(name.utf8.first ?? 0))]
            $0.externalIPs = ["192.0.2.7"]
            $0.creationTime = created
            change(&$0)
        }
    }

    func owner(_ planner: Planner, _ key: FrontendAddress = "192.0.2.7:80/TCP") -> String? {
        let holders = planner.servicePorts.filter { port in
            port.name.protocolKind == key.protocolKind
                && port.families.contains { $0.frontends.contains { $0.address == key.address } }
        }
        #expect(holders.count <= 1)
        #expect(planner.owner(of: key) == holders.first?.name.service)
        return holders.first?.name.service.name
    }

    struct Age: CustomTestStringConvertible {
        var winner: Service
        var loser: Service
        var testDescription: String { "\(winner.name.name) before \(loser.name.name)" }
    }

    static let ages = [
        Age(winner: service("young", created: 1), loser: service("a", created: 2)),
        Age(winner: service("b", created: 7), loser: service("a", created: nil)),
        Age(winner: service("a", created: 5), loser: service("b", created: 5)),
        Age(winner: service("a", created: nil), loser: service("b", created: nil)),
    ]

    @Test(
        "SVC-15: the older service keeps a contested frontend, whichever came first; without an age it is youngest",
        arguments: ages)
    func oldest(_ age: Age) throws {
        for services in [[age.winner, age.loser], [age.loser, age.winner]] {
            let together = planner(services, [])
            #expect(owner(together) == age.winner.name.name)
            var apart = planner([], [])
            for service in services { _ = apart.apply([.service(service.name, service)]) }
            #expect(apart.servicePorts == together.servicePorts)
            #expect(apart.problems == together.problems)
            let problem = try #require(together.problems.first)
            #expect(together.problems.count == 1)
            #expect(problem.object == "Service \(age.loser.name)" && problem.field == "spec.externalIPs")
            #expect(problem.message.contains("\(age.winner.name)") && problem.message.contains("\(age.loser.name)"))
        }
    }

    @Test("SVC-15: when the owner goes the next in age takes over, and the others learn of it")
    func takeOver() {
        let services = [Self.service("a", created: 1), Self.service("b", created: 2), Self.service("c", created: 3)]
        var planner = planner(services, [])
        #expect(owner(planner) == "a")
        let change = planner.apply([.service(services[0].name, nil)])
        #expect(owner(planner) == "b")
        #expect(change.changed.map(\.name.service.name) == ["a", "b"])
        #expect(change.problems[services[1].name] == [])
        #expect(change.problems[services[2].name]?.first?.message.contains("default/b") == true)
        _ = planner.apply([.service(services[1].name, nil)])
        #expect(owner(planner) == "c")
        #expect(planner.problems.isEmpty)
        #expect(!planner.isContested("192.0.2.7:80/TCP"))
    }

    @Test("SVC-15: an owner that gives the address up, or becomes younger, loses it")
    func givingUp() {
        let (first, second) = (Self.service("a", created: 1), Self.service("b", created: 2))
        var planner = planner([first, second], [])
        let without = Self.service("a", created: 1) { $0.externalIPs = [] }
        _ = planner.apply([.service(first.name, without)])
        #expect(owner(planner) == "b")
        _ = planner.apply([.service(first.name, first)])
        #expect(owner(planner) == "a")
        _ = planner.apply([.service(first.name, Self.service("a", created: 9))])
        #expect(owner(planner) == "b")
    }

    @Test("SVC-15: one address with different ports or protocols serves both services")
    func sharedAddress() {
        let other = Self.service("b", created: 2) { $0.ports[0].port = 443 }
        let planner = planner([Self.service("a", created: 1), other], [])
        #expect(owner(planner) == "a")
        #expect(owner(planner, "192.0.2.7:443/TCP") == "b")
        #expect(planner.problems.isEmpty)
    }

    @Test("SVC-15: a loser keeps its other frontends")
    func otherFrontends() {
        let planner = planner([Self.service("a", created: 1), Self.service("b", created: 2)], [])
        #expect(planner.family(of: "b")?.frontends.map(\.kind) == [.clusterIP])
    }

    @Test("SVC-15: a node port and an ExternalIP on a node address are one frontend")
    func nodePortAgainstExternalIP() {
        let nodePort = Self.service("n", created: 2) {
            $0.kind = .nodePort
            $0.externalIPs = []
            $0.ports[0].nodePort = 30080
        }
        let external = Self.service("e", created: 1) {
            $0.externalIPs = ["192.168.0.2"]
            $0.ports[0].port = 30080
        }
        let planner = planner([nodePort, external], [])
        #expect(owner(planner, "192.168.0.2:30080/TCP") == "e")
        #expect(planner.problems.map(\.field) == ["spec.ports[].nodePort"])
    }

    @Test("SVC-15: a node port claimed twice is reported once, on however many addresses")
    func nodePortTwice() {
        let services = ["a", "b"].map { name in
            Self.service(name, created: name == "a" ? 1 : 2) {
                $0.kind = .nodePort
                $0.externalIPs = []
                $0.ports[0].nodePort = 30080
            }
        }
        let planner = planner(
            services, [], settings: settings { $0.nodePortAddresses = .all }, addresses: ["192.168.0.2", "192.168.1.2"])
        #expect(planner.problems.count == 1)
        #expect(owner(planner, "192.168.1.2:30080/TCP") == "a")
    }

    @Test("SVC-15: explain names the owner of a contested frontend and the rule")
    func explained() {
        let planner = planner([Self.service("b", created: 1), Self.service("a", created: 2)], [])
        let answer = planner.explain(from: .pod(nil), to: "192.0.2.7:80/TCP")
        #expect(answer.service == "default/b:http")
        #expect(answer.rules.first == "SVC-15")
    }
}
