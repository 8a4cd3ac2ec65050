// Maps that are full: an error on the frontends that have no room, and on no others.

import CDatapathABI
import DatapathTestSupport
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@testable import DatapathImage

@Suite struct LimitTests {
    private static func service(
        _ number: Int, endpoints: Int = 1, algorithm: Service.Algorithm = .random
    ) -> ServicePortPlan {
        .fixture(
            "ns/s\(number)", [.nodePort("203.0.113.\(number):80")],
            cluster: (1...endpoints).map { "10.1.\(number).\($0):80" }, algorithm: algorithm)
    }

    private struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var limits: ImageLimits
        var reason: FrontendFailure.Reason
    }

    /// Each has room for two services of one endpoint, but not for three.
    @Test(
        "what fits is programmed, what does not fit fails by name, and has its place once there is room",
        arguments: [
            Case(
                testDescription: "frontends", limits: ImageLimits(frontends: 2), reason: .frontendsFull(limit: 2)),
            Case(testDescription: "backends", limits: ImageLimits(backends: 3), reason: .backendsFull(limit: 3)),
            Case(
                testDescription: "slots", limits: ImageLimits(slotWords: 2),
                reason: .slotsFull(wordsWanted: 1, limit: 2)),
            Case(testDescription: "services", limits: ImageLimits(services: 3), reason: .servicesFull(limit: 3)),
        ])
    private func full(_ given: Case) throws {
        var harness = ImageHarness(limits: given.limits)
        try harness.apply(Self.service(1), Self.service(2), Self.service(3))
        #expect(harness.image.failures.map(\.reason) == [given.reason])
        #expect(harness.image.failures.first?.key.description == "203.0.113.3:80/TCP")
        var two = ImageHarness()
        try two.apply(Self.service(1), Self.service(2))
        #expect(try harness.text.contains(two.text.split(separator: "backends").first ?? "?"))
        // Retrying without room changes nothing.
        try harness.retryFailed()
        #expect(harness.image.failures.map(\.reason) == [given.reason])
        #expect(harness.last.isEmpty)

        try harness.remove(Self.service(1).name)
        try harness.reclaim()
        try harness.retryFailed()
        #expect(harness.image.failures.isEmpty)
        var other = ImageHarness()
        try other.apply(Self.service(2), Self.service(3))
        #expect(try harness.text == (try other.text))
        #expect(harness.store.violations == [])
    }

    @Test("a change that does not fit leaves the record as it was")
    func change() throws {
        var harness = ImageHarness(limits: ImageLimits(backends: 4))
        try harness.apply(Self.service(1, endpoints: 2))
        let text = try harness.text
        try harness.apply(Self.service(1, endpoints: 9))
        #expect(harness.image.failures.count == 1)
        #expect(try harness.text == text)
        try harness.apply(Self.service(1, endpoints: 3))
        #expect(harness.image.failures.isEmpty)
        #expect(try harness.text.contains("10.1.1.3:80"))
    }

    @Test("a table that does not fit takes no space from others")
    func table() throws {
        var harness = ImageHarness(limits: ImageLimits(slotWords: 20))
        try harness.apply(Self.service(1, endpoints: 2, algorithm: .maglev), Self.service(2, endpoints: 2))
        #expect(harness.image.failures.map(\.reason) == [.slotsFull(wordsWanted: 51, limit: 20)])
        #expect(harness.image.usage.slotWords == 1)
        #expect(harness.image.usage.backends == 2)
        #expect(try harness.text.contains("10.1.2.1:80 10.1.2.2:80"))
        #expect(try !harness.text.contains("10.1.1.1"))
    }

    @Test("a policy that needs no room is not held up by one that does")
    func otherPolicy() throws {
        var harness = ImageHarness(limits: ImageLimits(backends: 2))
        try harness.apply(
            .fixture(
                "ns/s", [.clusterIP("10.96.0.1:80"), .nodePort("192.0.2.1:30080", external: .local, internal: .local)],
                cluster: ["10.1.0.1:80", "10.1.0.2:80"], local: ["10.1.0.1:80"]))
        #expect(harness.image.failures.map(\.key.description) == ["10.96.0.1:80/TCP"])
        #expect(try harness.text.contains("192.0.2.1:30080/TCP NodePort ns/s/TCP\n    forward to 10.1.0.1:80"))
    }

    @Test("a wildcard without room is a failure of its own")
    func wildcard() throws {
        var harness = ImageHarness(limits: ImageLimits(frontends: 1))
        let plan = ServicePortPlan.fixture("ns/s", [.clusterIP("10.96.0.1:80")], cluster: ["10.1.0.1:80"])
        try harness.apply(plan)
        #expect(
            harness.image.failures.map(\.description) == [
                "frontend 10.96.0.1:* is not programmed: map frontends is full: it holds 1 entries"
            ])
        try harness.remove(plan.name)
        #expect(!harness.image.hasFailures)
    }

    @Test("an address whose frontends wait for room refuses until they are there")
    func wildcardWaits() throws {
        var harness = ImageHarness(limits: ImageLimits(backends: 4))
        let wildcard = FrontendKey(wildcard: IPAddress(ipv4: 0x0a60_0001))
        func plan(_ port: Int) -> ServicePortPlan {
            .fixture(
                "ns/s", [.clusterIP("10.96.0.1:\(port)")], cluster: (1...3).map { "10.1.0.\($0):\(port)" })
        }
        try harness.apply(plan(80))
        try harness.apply(plan(81))
        #expect(harness.image.failures.map(\.key.description) == ["10.96.0.1:81/TCP"])
        #expect(harness.last.removedFrontends.map(\.key.description) == ["10.96.0.1:80/TCP"])
        #expect(harness.image.holds(wildcard))
        try harness.retryFailed()
        #expect(harness.last.isEmpty)
        try harness.reclaim()
        try harness.retryFailed()
        #expect(!harness.image.hasFailures && harness.image.holds(wildcard))
        #expect(try harness.text.contains("10.96.0.1:81/TCP"))
        try harness.apply(plan(80))
        try harness.remove(plan(80).name)
        #expect(!harness.image.holds(wildcard))
        try harness.reclaim()
        #expect(try harness.text == "" && harness.image.usage == DatapathImage().usage)
    }

    @Test("a node port without room for its protection is not programmed")
    func nodePort() throws {
        var harness = ImageHarness(limits: ImageLimits(nodePorts: 1))
        let plans = [30001, 30002].map {
            ServicePortPlan.fixture("ns/s\($0)", [.nodePort("192.0.2.1:\($0)")], cluster: ["10.1.0.1:80"])
        }
        try harness.apply(plans.map(\.change))
        #expect(harness.image.failures.map(\.reason) == [.nodePortsFull(limit: 1)])
        try harness.remove(plans[0].name)
        try harness.retryFailed()
        #expect(try harness.text.contains("node ports\n  30002/TCP IPv4\n"))
    }

    @Test("a contradictory record of an earlier run takes its place in the map until it is removed")
    func contradictory() throws {
        var harness = ImageHarness(limits: ImageLimits(frontends: 2))
        try harness.apply(Self.service(1), Self.service(2))
        harness.store.tamper {
            $0.frontends[FrontendKey(.fixture("203.0.113.2:80"), protocol: .tcp)]?.fields.kind = 77
        }
        try harness.restart()
        try harness.apply(Self.service(1), Self.service(3))
        #expect(harness.image.failures.map(\.reason) == [.frontendsFull(limit: 2)])
        try harness.removeUnclaimed()
        try harness.retryFailed()
        #expect(harness.image.failures.isEmpty)
        #expect(harness.store.violations == [])
    }

    @Test("replacing one frontend by another in a full map takes two steps, since additions come first")
    func swap() throws {
        var harness = ImageHarness(limits: ImageLimits(frontends: 1))
        try harness.apply(Self.service(1))
        try harness.apply([Self.service(1).removal, Self.service(2).change])
        #expect(harness.image.failures.count == 1)
        try harness.retryFailed()
        #expect(harness.image.failures.isEmpty)
        #expect(try harness.text.contains("203.0.113.2:80"))
        #expect(harness.store.violations == [])
    }
}
