// From plans to what every frontend does, as text: whole situations that a reader can check by eye. Each ends with
// everything removed and the maps empty again.

import DatapathTestSupport
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@testable import DatapathImage

@Suite struct ScenarioTests {
    private struct Scenario: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var plans: [ServicePortPlan]
        var text: String
    }

    private static let scenarios: [Scenario] = [
        Scenario(
            testDescription: "a ClusterIP with two endpoints, and the wildcard of its address",
            plans: [.fixture("shop/web", [.clusterIP("10.96.0.7:80")], cluster: ["10.1.0.2:8080", "10.1.0.1:8080"])],
            text: """
                frontends
                  10.96.0.7:* wildcard
                    reject
                  10.96.0.7:80/TCP ClusterIP shop/web/TCP
                    forward to 10.1.0.1:8080 10.1.0.2:8080
                backends
                  10.1.0.1:8080/TCP weight 1
                  10.1.0.2:8080/TCP weight 1
                services
                  shop/web/TCP

                """),
        Scenario(
            testDescription: "two ports of one service share the wildcard, and each has its own backends",
            plans: [
                .fixture(
                    "kube-system/dns:dns", protocol: .udp, [.clusterIP("10.96.0.10:53")],
                    cluster: ["10.1.0.1:53", "10.1.0.2:53"]),
                .fixture(
                    "kube-system/dns:dns-tcp", [.clusterIP("10.96.0.10:53")], cluster: ["10.1.0.1:53", "10.1.0.2:53"]),
            ],
            text: """
                frontends
                  10.96.0.10:* wildcard
                    reject
                  10.96.0.10:53/TCP ClusterIP kube-system/dns:dns-tcp/TCP
                    forward to 10.1.0.1:53 10.1.0.2:53
                  10.96.0.10:53/UDP ClusterIP kube-system/dns:dns/UDP
                    forward to 10.1.0.1:53 10.1.0.2:53
                backends
                  10.1.0.1:53/TCP weight 1
                  10.1.0.1:53/UDP weight 1
                  10.1.0.2:53/TCP weight 1
                  10.1.0.2:53/UDP weight 1
                services
                  kube-system/dns:dns-tcp/TCP
                  kube-system/dns:dns/UDP

                """),
        Scenario(
            testDescription: "external policy Local: outside clients get the local list, insiders the cluster's",
            plans: [
                .fixture(
                    "shop/web:http",
                    [
                        .clusterIP("10.96.0.7:80"), .nodePort("192.0.2.1:30080", external: .local),
                        .nodePort("127.0.0.1:30080", external: .drop),
                        .loadBalancer("203.0.113.5:80", external: .local, admitsHost: false, admitsPods: false),
                    ],
                    cluster: ["10.1.0.1:8080", "10.1.1.1:8080"], local: ["10.1.0.1:8080"])
            ],
            text: """
                frontends
                  10.96.0.7:* wildcard
                    reject
                  10.96.0.7:80/TCP ClusterIP shop/web:http/TCP
                    forward to 10.1.0.1:8080 10.1.1.1:8080
                  127.0.0.1:30080/TCP NodePort shop/web:http/TCP host-only
                    internal forward to 10.1.0.1:8080 10.1.1.1:8080
                    external drop
                  192.0.2.1:30080/TCP NodePort shop/web:http/TCP
                    internal forward to 10.1.0.1:8080 10.1.1.1:8080
                    external forward to 10.1.0.1:8080
                  203.0.113.5:* wildcard outside-only
                    reject
                  203.0.113.5:80/TCP LoadBalancer shop/web:http/TCP deny-host deny-pods
                    internal forward to 10.1.0.1:8080 10.1.1.1:8080
                    external forward to 10.1.0.1:8080
                backends
                  10.1.0.1:8080/TCP weight 1
                  10.1.1.1:8080/TCP weight 1
                services
                  shop/web:http/TCP
                node ports
                  30080/TCP IPv4

                """),
        Scenario(
            testDescription: "nothing to serve: refused, or dropped where only this node has nothing",
            plans: [
                .fixture("a/none", [.clusterIP("10.96.0.1:80", to: .reject)]),
                .fixture("a/elsewhere", [.clusterIP("10.96.0.2:80", to: .drop)]),
            ],
            text: """
                frontends
                  10.96.0.1:* wildcard
                    reject
                  10.96.0.1:80/TCP ClusterIP a/none/TCP
                    reject
                  10.96.0.2:* wildcard
                    reject
                  10.96.0.2:80/TCP ClusterIP a/elsewhere/TCP
                    drop
                services
                  a/elsewhere/TCP
                  a/none/TCP

                """),
        Scenario(
            testDescription: "both families, each with its own list",
            plans: [
                .fixture(
                    "shop/web", [.clusterIP("10.96.0.7:80"), .clusterIP("[fd00:96::7]:80")],
                    cluster: ["10.1.0.1:8080", "[fd00:1::1]:8080"], affinity: 10800)
            ],
            text: """
                frontends
                  10.96.0.7:* wildcard
                    reject
                  10.96.0.7:80/TCP ClusterIP shop/web/TCP affinity 10800s
                    forward to 10.1.0.1:8080
                  [fd00:96::7]:* wildcard
                    reject
                  [fd00:96::7]:80/TCP ClusterIP shop/web/TCP affinity 10800s
                    forward to [fd00:1::1]:8080
                backends
                  10.1.0.1:8080/TCP weight 1
                  [fd00:1::1]:8080/TCP weight 1
                services
                  shop/web/TCP

                """),
        Scenario(
            testDescription: "Maglev, and weights that make a table without it",
            plans: [
                .fixture(
                    "shop/hashed", [.clusterIP("10.96.0.1:80")], cluster: ["10.1.0.1:80", "10.1.0.2:80"],
                    algorithm: .maglev),
                .fixture("shop/weighted", [.clusterIP("10.96.0.2:80")], cluster: ["10.1.0.1:81*3", "10.1.0.2:81"]),
                .fixture("shop/single", [.clusterIP("10.96.0.3:80")], cluster: ["10.1.0.1:80"], algorithm: .maglev),
            ],
            text: """
                frontends
                  10.96.0.1:* wildcard
                    reject
                  10.96.0.1:80/TCP ClusterIP shop/hashed/TCP maglev
                    forward to 10.1.0.1:80 10.1.0.2:80, 401 slots of 1
                  10.96.0.2:* wildcard
                    reject
                  10.96.0.2:80/TCP ClusterIP shop/weighted/TCP
                    forward to 10.1.0.1:81 10.1.0.2:81, 401 slots of 1
                  10.96.0.3:* wildcard
                    reject
                  10.96.0.3:80/TCP ClusterIP shop/single/TCP maglev
                    forward to 10.1.0.1:80
                backends
                  10.1.0.1:80/TCP weight 1
                  10.1.0.1:81/TCP weight 3
                  10.1.0.2:80/TCP weight 1
                  10.1.0.2:81/TCP weight 1
                services
                  shop/hashed/TCP
                  shop/single/TCP
                  shop/weighted/TCP

                """),
    ]

    @Test("plans make these maps, in either order of arrival, and leave nothing behind", arguments: scenarios)
    private func scenario(_ given: Scenario) throws {
        for plans in [given.plans, given.plans.reversed()] {
            var together = ImageHarness()
            try together.apply(plans.map(\.change))
            #expect(try together.text == given.text)

            var apart = ImageHarness()
            for plan in plans { try apart.apply(plan) }
            #expect(try apart.text == given.text)

            try apart.apply(plans.map(\.removal))
            try apart.reclaim()
            #expect(try apart.text == "")
            #expect(apart.image.usage == DatapathImage(limits: apart.image.limits).usage)
            #expect(apart.store.violations.isEmpty)
        }
    }

    @Test("applying the same plans again writes nothing", arguments: scenarios)
    private func idempotent(_ given: Scenario) throws {
        var harness = ImageHarness()
        try harness.apply(given.plans.map(\.change))
        #expect(!harness.last.isEmpty)
        try harness.apply(given.plans.map(\.change))
        #expect(harness.last.description == "")
        #expect(harness.last.isEmpty)
    }

    @Test("every frontend has exactly the table of its backends", arguments: scenarios)
    private func tables(_ given: Scenario) throws {
        var harness = ImageHarness()
        try harness.apply(given.plans.map(\.change))
        #expect(try harness.store.contents().wrongTables() == [])
    }
}
