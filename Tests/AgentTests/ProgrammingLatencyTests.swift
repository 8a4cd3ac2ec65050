// What network programming latency measures, and what it does not.

import Agent
import Foundation
import NetworkTypes
import ServiceModel
import Telemetry
import Testing

@Suite("Network programming latency")
struct ProgrammingLatencyTests {
    private static let start = Date(timeIntervalSince1970: 1_800_000_000)

    private static func slice(
        at seconds: Double?, ready: Bool = true, service: String = "web", family: AddressFamily = .ipv4
    ) -> EndpointSlice {
        EndpointSlice(
            name: ObjectName(namespace: "shop", name: service + "-1"),
            service: ObjectName(namespace: "shop", name: service), family: family,
            endpoints: [Endpoint(address: IPAddress(ipv4: 0x0a00_0001), isReady: ready)],
            triggerTimeNanoseconds: seconds.map { Int64((start.timeIntervalSince1970 + $0) * 1e9) })
    }

    private static func change(_ slice: EndpointSlice) -> FactChange { .endpointSlice(slice.name, slice) }

    private static func count(_ latency: ProgrammingLatency, _ family: AddressFamily = .ipv4) -> UInt64 {
        latency.histograms[family].snapshot.count
    }

    @Test("MET-3: is from the moment in the slice to the successful sync, once, in the slice's family")
    func measured() {
        var latency = ProgrammingLatency(start: Self.start)
        latency.note([Self.change(Self.slice(at: 10))]) { _ in nil }
        #expect(Self.count(latency) == 0)
        latency.observe(at: Self.start + 12)
        latency.observe(at: Self.start + 100)
        let snapshot = latency.histograms[.ipv4].snapshot
        #expect(snapshot.count == 1 && abs(snapshot.sum - 2) < 0.001)
        #expect(Self.count(latency, .ipv6) == 0)
        latency.note([Self.change(Self.slice(at: 20, family: .ipv6))]) { _ in nil }
        latency.observe(at: Self.start + 21)
        #expect(Self.count(latency, .ipv6) == 1 && Self.count(latency) == 1)
    }

    @Test("MET-3: has kube-proxy's buckets")
    func buckets() {
        let bounds = ProgrammingLatency(start: Self.start).histograms[.ipv4].snapshot.buckets.map(\.upperBound)
        let wanted =
            [0.25, 0.5] + (1...59).map(Double.init) + stride(from: 60, through: 115, by: 5)
            + stride(from: 120, through: 300, by: 30)
        #expect(bounds == wanted && bounds.count == 80)
    }

    @Test("MET-3: moments before the start, none at all, and what changes nothing are not measured")
    func ignored() {
        var latency = ProgrammingLatency(start: Self.start)
        let known = Self.slice(at: 1)
        latency.note([Self.change(Self.slice(at: -1)), Self.change(Self.slice(at: nil, service: "other"))]) { _ in nil }
        latency.note([Self.change(Self.slice(at: 5))]) { _ in known }
        latency.observe(at: Self.start + 6)
        #expect(Self.count(latency) == 0)
        latency.note([Self.change(Self.slice(at: 5, ready: false))]) { _ in known }
        latency.observe(at: Self.start + 6)
        #expect(Self.count(latency) == 1)
    }

    @Test("MET-3: a deletion is not measured, nor what waited for its service")
    func deletions() {
        var latency = ProgrammingLatency(start: Self.start)
        let web = Self.slice(at: 1)
        latency.note([Self.change(web), Self.change(Self.slice(at: 1, service: "other"))]) { _ in nil }
        latency.note([.endpointSlice(web.name, nil)]) { _ in web }
        latency.observe(at: Self.start + 2)
        #expect(Self.count(latency) == 1)
    }

    @Test("a clock that is ahead makes no negative latency")
    func clocks() {
        var latency = ProgrammingLatency(start: Self.start)
        latency.note([Self.change(Self.slice(at: 10))]) { _ in nil }
        latency.observe(at: Self.start + 5)
        #expect(latency.histograms[.ipv4].snapshot.sum == 0 && Self.count(latency) == 1)
    }
}
