// What the health-check node port of a service has to tell (HC-1, HC-3); the server itself is elsewhere.

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct HealthCheckCountTests {
    @Test("HC-3: the count is that of distinct local ready addresses over all ports, terminating ones left out")
    func count() {
        let names = ["a", "b", "c"]
        let service = externalService {
            $0.ports = names.enumerated().map { ServicePort(name: $1, port: 80 + UInt16($0)) }
        }
        let endpoints = slice(
            .ready("10.244.1.1", on: "n1"), .ready("10.244.1.2", on: "n1"), .terminating("10.244.1.3", on: "n1"),
            .unready("10.244.1.4", on: "n1"), .ready("10.244.2.1", on: "n2")
        ) { $0.ports = names.enumerated().map { SlicePort(name: $1, port: 8080 + UInt16($0)) } }
        let planner = planner([service], [endpoints])
        for name in names { #expect(planner.family(.ipv4, name)?.localReadyCount == 2) }
    }

    @Test("HC-3, EP-14: local terminating endpoints may serve while the count is zero already")
    func terminating() {
        let plan = plan(
            externalService { $0.externalTrafficPolicy = .local }, slice(.terminating("10.244.1.1", on: "n1")))
        #expect(plan.localTexts == ["10.244.1.1:8080"])
        #expect(plan.localReadyCount == 0)
    }

    @Test("HC-3: one address on several port numbers counts once")
    func oneAddress() {
        let second = slice(.ready("10.244.1.1", on: "n1"), named: "b") {
            $0.ports = [SlicePort(name: "http", port: 9090)]
        }
        #expect(plan(externalService(), slice(.ready("10.244.1.1", on: "n1"), named: "a"), second).localReadyCount == 1)
    }

    struct Case: CustomTestStringConvertible {
        var kind: Service.Kind
        var policy: Service.TrafficPolicy
        var port: UInt16?
        var testDescription: String { "\(kind.rawValue), \(policy.rawValue)" }
    }

    static let cases = [
        Case(kind: .loadBalancer, policy: .local, port: 30100), Case(kind: .loadBalancer, policy: .cluster, port: nil),
        Case(kind: .nodePort, policy: .local, port: nil), Case(kind: .clusterIP, policy: .local, port: nil),
    ]

    @Test(
        "HC-1, SVC-14: only a LoadBalancer service with externalTrafficPolicy Local has a health-check port",
        arguments: cases)
    func port(_ example: Case) {
        let service = externalService {
            $0.kind = example.kind
            $0.externalTrafficPolicy = example.policy
        }
        let planner = planner([service], [])
        #expect(planner.port()?.healthCheckNodePort == example.port)
        #expect(planner.problems.isEmpty)
    }
}
