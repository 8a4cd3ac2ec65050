// Readiness of endpoints, locality and which slices count (semantics section 3).

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct EndpointConditionsTests {
    struct Condition: CustomTestStringConvertible {
        var isReady: Bool
        var isServing: Bool
        var isTerminating: Bool
        var isUsedBesideReady: Bool
        var isUsedAlone: Bool

        var testDescription: String { "ready \(isReady), serving \(isServing), terminating \(isTerminating)" }

        var endpoint: Endpoint {
            Endpoint(address: "10.244.2.9", isReady: isReady, isServing: isServing, isTerminating: isTerminating)
        }
    }

    static let conditions = [
        Condition(isReady: true, isServing: true, isTerminating: false, isUsedBesideReady: true, isUsedAlone: true),
        Condition(isReady: true, isServing: true, isTerminating: true, isUsedBesideReady: true, isUsedAlone: true),
        Condition(isReady: true, isServing: false, isTerminating: true, isUsedBesideReady: true, isUsedAlone: true),
        Condition(isReady: true, isServing: false, isTerminating: false, isUsedBesideReady: true, isUsedAlone: true),
        Condition(isReady: false, isServing: true, isTerminating: true, isUsedBesideReady: false, isUsedAlone: true),
        Condition(isReady: false, isServing: true, isTerminating: false, isUsedBesideReady: false, isUsedAlone: false),
        Condition(isReady: false, isServing: false, isTerminating: true, isUsedBesideReady: false, isUsedAlone: false),
        Condition(isReady: false, isServing: false, isTerminating: false, isUsedBesideReady: false, isUsedAlone: false),
    ]

    @Test(
        "EP-11: a ready endpoint is used whatever else it says, an unready one only while it serves and terminates",
        arguments: conditions)
    func usability(_ condition: Condition) {
        let beside = plan(service(), slice(.ready("10.244.2.1"), condition.endpoint))
        #expect(beside.clusterTexts.contains("10.244.2.9:8080") == condition.isUsedBesideReady)
        let alone = plan(service(), slice(condition.endpoint))
        #expect(alone.clusterTexts == (condition.isUsedAlone ? ["10.244.2.9:8080"] : []))
        #expect(alone.disposition(.clusterIP) == (condition.isUsedAlone ? "cluster/cluster" : "reject/reject"))
    }

    @Test("EP-16: an endpoint published as ready is used although it is neither serving nor running")
    func published() {
        let endpoint = Endpoint(address: "10.244.2.9", isReady: true, isServing: false, isTerminating: true)
        #expect(plan(service(), slice(endpoint)).clusterTexts == ["10.244.2.9:8080"])
    }

    @Test("EP-10: an endpoint is local only where its node name is exactly ours")
    func locality() {
        let endpoints = slice(
            .ready("10.244.1.1", on: "n1"), .ready("10.244.1.2", on: "N1"), .ready("10.244.1.3", on: "n10"),
            .ready("10.244.1.4"), .ready("10.244.1.5", on: ""))
        let local = service { $0.internalTrafficPolicy = .local }
        #expect(plan(local, endpoints).localTexts == ["10.244.1.1:8080"])
    }

    @Test("EP-10: without a node name nothing is local")
    func namelessNode() {
        let endpoints = slice(.ready("10.244.1.4"), .ready("10.244.1.5", on: ""))
        let local = service { $0.internalTrafficPolicy = .local }
        let plan = plan(local, endpoints, settings: settings { $0.nodeName = "" }, node: nil)
        #expect(plan.localTexts.isEmpty)
        #expect(plan.disposition(.clusterIP) == "drop/drop")
    }

    @Test("EP-1: a hand-made slice serves a service, whoever made it")
    func handMade() {
        let slice = slice(.ready("10.244.2.1")) { $0.name = ObjectName(namespace: "default", name: "hand-made") }
        #expect(plan(service(), slice).clusterTexts == ["10.244.2.1:8080"])
    }

    @Test("EP-2: a slice serves only the service that its label and namespace name")
    func owner() {
        let elsewhere = slice(.ready("10.244.2.1")) { $0.service = ObjectName(namespace: "other", name: "web") }
        let nobody = slice(.ready("10.244.2.2"), named: "b") {
            $0.service = ObjectName(namespace: "default", name: "x")
        }
        #expect(plan(service(), elsewhere, nobody).disposition(.clusterIP) == "reject/reject")
    }

    @Test("EP-3: slices of the other family do not count")
    func family() {
        let six = slice(.ready("fd00:244:2::1")) { $0.family = .ipv6 }
        #expect(plan(service(), six).disposition(.clusterIP) == "reject/reject")
    }

    @Test("SVC-8, EP-4: a headless label on a slice hides its endpoints, live")
    func headlessSlice() {
        var planner = planner([service()], [slice(.ready("10.244.2.1"))])
        let hidden = slice(.ready("10.244.2.1")) { $0.isHeadless = true }
        #expect(planner.family()?.clusterTexts == ["10.244.2.1:8080"])
        #expect(planner.apply([.endpointSlice(hidden.name, hidden)]).changed.count == 1)
        #expect(planner.family()?.disposition(.clusterIP) == "reject/reject")
        _ = planner.apply([.endpointSlice(hidden.name, slice(.ready("10.244.2.1")))])
        #expect(planner.family()?.clusterTexts == ["10.244.2.1:8080"])
    }

    @Test("EP-5: a slice port feeds the service port of the same name and protocol only")
    func portMatch() {
        let mismatched = slice(.ready("10.244.2.1")) {
            $0.ports = [SlicePort(name: "http", protocol: .udp, port: 8080), SlicePort(name: "other", port: 8081)]
        }
        #expect(plan(service(), mismatched).disposition(.clusterIP) == "reject/reject")
    }

    @Test("EP-6: slice ports without a number are skipped, the empty name is a name")
    func slicePorts() {
        let unnamed = service { $0.ports = [ServicePort(port: 80)] }
        let ports = slice(.ready("10.244.2.1")) { $0.ports = [SlicePort(name: "", port: 0), SlicePort(port: 81)] }
        #expect(planner([unnamed], [ports]).family(.ipv4, "")?.clusterTexts == ["10.244.2.1:81"])
    }

    @Test("EP-7, PORT-4: endpoints are the union over slices, each on its own slice's port number")
    func union() {
        let first = slice(.ready("10.244.2.1"), named: "a")
        let second = slice(.ready("10.244.2.2"), named: "b") { $0.ports = [SlicePort(name: "http", port: 9090)] }
        #expect(plan(service(), first, second).clusterTexts == ["10.244.2.1:8080", "10.244.2.2:9090"])
    }

    @Test("EP-7: one address on two port numbers is two endpoints")
    func twoNumbers() {
        let first = slice(.ready("10.244.2.1"), named: "a")
        let second = slice(.ready("10.244.2.1"), named: "b") { $0.ports = [SlicePort(name: "http", port: 9090)] }
        #expect(plan(service(), first, second).clusterTexts == ["10.244.2.1:8080", "10.244.2.1:9090"])
    }

    @Test("INV-6: an endpoint whose address is not of its slice's family is skipped")
    func strayAddress() {
        #expect(plan(service(), slice(.ready("fd00::1"), .ready("10.244.2.1"))).clusterTexts == ["10.244.2.1:8080"])
    }

    @Test("EP-9: endpoints without conditions are ready and serving")
    func defaults() {
        #expect(plan(service(), slice(Endpoint(address: "10.244.2.1"))).clusterTexts == ["10.244.2.1:8080"])
    }
}
