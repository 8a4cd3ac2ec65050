// Health as a value: what counts as keeping up, and what load balancers and probes are told.

import Foundation
import HealthCheckServer
import NetworkTypes
import Testing

@Suite("The proxy's health")
struct ProxyHealthTests {
    private static let start = ContinuousClock.now
    private static let date = Date(timeIntervalSince1970: 1_800_000_000)

    private static func isHealthy(_ health: ProxyHealth, after seconds: Int) -> Bool {
        health.report(now: start + .seconds(seconds), date: date).isProxyHealthy
    }

    @Test("is good at the start and when idle (HZ-3)")
    func idle() {
        #expect(Self.isHealthy(ProxyHealth(), after: 100_000))
    }

    @Test(
        "is bad once the oldest change has waited for twice the sync period, until one succeeds (HZ-3)")
    func pending() {
        var health = ProxyHealth(patience: .seconds(60))
        health.queued(.ipv4, at: Self.start)
        health.queued(.ipv4, at: Self.start + .seconds(50))
        #expect(Self.isHealthy(health, after: 59))
        #expect(!Self.isHealthy(health, after: 60))
        health.synced(at: Self.date)
        #expect(Self.isHealthy(health, after: 61))
    }

    @Test("is each family's own, and good only if both are (HZ-1)")
    func families() {
        var health = ProxyHealth(patience: .seconds(60))
        health.queued(.ipv6, at: Self.start)
        let report = health.report(now: Self.start + .seconds(60), date: Self.date)
        #expect(report.families.ipv4.healthy)
        #expect(!report.families.ipv6.healthy)
        #expect(!report.isProxyHealthy)
    }

    @Test("does not ask about the node, which is not eligible before it has been seen (HZ-4)")
    func node() {
        var health = ProxyHealth()
        #expect(!health.report(now: Self.start, date: Self.date).nodeEligible)
        health.isNodeEligible = true
        #expect(health.report(now: Self.start, date: Self.date).nodeEligible)
        #expect(Self.isHealthy(health, after: 1))
    }
}
