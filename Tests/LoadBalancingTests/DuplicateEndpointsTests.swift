// The same endpoint more than once, weights, and slices as whole values (EP-12, EP-17…EP-19).

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct DuplicateEndpointsTests {
    @Test("EP-12: an endpoint in several slices counts once")
    func once() {
        let plan = plan(
            service(), slice(.ready("10.244.2.1"), .ready("10.244.2.2"), named: "a"),
            slice(.ready("10.244.2.1"), named: "b"))
        #expect(plan.cluster.map(\.weight) == [1, 1])
        #expect(plan.clusterTexts == ["10.244.2.1:8080", "10.244.2.2:8080"])
    }

    struct Pair: CustomTestStringConvertible {
        var name: String
        var winner: Endpoint
        var loser: Endpoint
        var cluster: [String]
        var testDescription: String { name }
    }

    static let pairs = [
        Pair(
            name: "ready beats terminating", winner: .ready("10.244.2.1"), loser: .terminating("10.244.2.1"),
            cluster: ["10.244.2.1:8080"]),
        Pair(
            name: "ready beats terminating and unserving", winner: .ready("10.244.2.1"),
            loser: Endpoint(address: "10.244.2.1", isReady: false, isServing: false, isTerminating: true),
            cluster: ["10.244.2.1:8080"]),
        Pair(
            name: "running beats terminating although it is not ready", winner: .unready("10.244.2.1"),
            loser: .terminating("10.244.2.1"), cluster: []),
        Pair(
            name: "running beats terminating although that is published", winner: .unready("10.244.2.1"),
            loser: Endpoint(address: "10.244.2.1", isReady: true, isTerminating: true), cluster: []),
        Pair(
            name: "ready beats unready", winner: .ready("10.244.2.1"), loser: .unready("10.244.2.1"),
            cluster: ["10.244.2.1:8080"]),
    ]

    @Test("EP-17: of two entries with one address the running one counts, whichever slice came first", arguments: pairs)
    func running(_ pair: Pair) {
        let forwards = plan(service(), slice(pair.winner, named: "a"), slice(pair.loser, named: "b"))
        let backwards = plan(service(), slice(pair.loser, named: "a"), slice(pair.winner, named: "b"))
        let together = plan(service(), slice(pair.loser, pair.winner, named: "a"))
        #expect(forwards.clusterTexts == pair.cluster)
        #expect(backwards == forwards)
        #expect(together == forwards)
    }

    @Test("EP-12, EP-17: an endpoint keeps the weight of the slice whose entry counts")
    func weight() {
        let heavy = slice(.ready("10.244.2.1"), .ready("10.244.2.3"), named: "a") { $0.weight = 5 }
        let light = slice(.terminating("10.244.2.1"), .ready("10.244.2.2"), named: "b") { $0.weight = 2 }
        #expect(plan(service(), heavy, light).cluster.map(\.weight) == [5, 2, 5])
        #expect(plan(service(), slice(.ready("10.244.2.1")) { $0.weight = 0 }).cluster.map(\.weight) == [1])
    }

    @Test("EP-18: a slice update replaces all that the slice said before")
    func wholeValues() {
        var planner = planner([service()], [slice(.ready("10.244.2.1"), .ready("10.244.2.2"))])
        _ = planner.apply([.endpointSlice(slice().name, slice(.ready("10.244.2.3")))])
        #expect(planner.family()?.clusterTexts == ["10.244.2.3:8080"])
        _ = planner.apply([.endpointSlice(slice().name, nil)])
        #expect(planner.family()?.disposition(.clusterIP) == "reject/reject")
    }

    @Test("EP-18: an endpoint that moves between slices is never missing and never doubled")
    func move() {
        let (from, to) = (slice(.ready("10.244.2.1"), named: "a"), slice(.ready("10.244.2.1"), named: "b"))
        var planner = planner([service()], [from])
        #expect(planner.apply([.endpointSlice(to.name, to)]).changed.isEmpty)
        #expect(planner.apply([.endpointSlice(from.name, nil)]).changed.isEmpty)
        #expect(planner.family()?.clusterTexts == ["10.244.2.1:8080"])
    }

    @Test("BAL-5: every usable endpoint has the same share, whether or not it would answer")
    func shares() {
        let plan = plan(service(), slice(.ready("10.244.2.1"), .ready("10.244.2.2"), .ready("10.244.2.3")))
        #expect(plan.cluster.map(\.weight) == [1, 1, 1])
    }
}
