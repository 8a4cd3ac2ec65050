// One thing that keeps failing must not cost the rest: audits go on, and space that nobody shows is given back.

import DatapathImage
import DatapathTestSupport
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@testable import Reconciler

@Suite struct PendingAuditTests {
    private static let start = ContinuousClock.now
    private static let nodePort = FrontendKey(.fixture("192.0.2.1:30080"), protocol: .tcp)

    private static func web(_ cluster: String...) -> ServicePortPlan {
        .fixture("shop/web", [.clusterIP("10.96.0.7:80"), .nodePort("192.0.2.1:30080")], cluster: cluster)
    }

    private let base = FakeDatapathStore(grace: .seconds(60))
    private let store: FailingStore
    private let reconciler: Reconciler

    init() {
        base.advance(to: Self.start)
        store = FailingStore(base)
        reconciler = Reconciler(
            store: store, limits: ImageLimits(),
            settings: ReconcilerSettings(
                grace: .seconds(60), auditInterval: .seconds(10), retry: .init(first: .seconds(1000), jitter: 0)),
            seed: 1)
    }

    @Test("an audit repairs what is not waiting to be written, and counts nothing else")
    func others() async throws {
        try await reconciler.restore(now: Self.start)
        await reconciler.apply([Self.web("10.1.0.1:80").change], now: Self.start)
        store.refuse([Self.nodePort])
        let wide = (1...9).map { "10.1.0.\($0):80" }
        let plan = ServicePortPlan.fixture(
            "shop/web", [.clusterIP("10.96.0.7:80"), .nodePort("192.0.2.1:30080")], cluster: wide)
        await reconciler.apply([plan.change], now: Self.start)
        let quiet = await reconciler.tick(now: Self.start + .seconds(10))
        #expect(quiet.audit?.differences == 0)
        base.tamper { $0.nodePorts = [] }
        let report = await reconciler.tick(now: Self.start + .seconds(20))
        #expect(report.audit?.differences == 1 && report.audit?.nodePorts == 1)
        #expect(try base.contents().nodePorts.count == 1)
        #expect(await reconciler.failedFrontends.map(\.key) == [Self.nodePort])
        store.refuse([])
        await reconciler.tick(now: Self.start + .seconds(1000))
        #expect(await reconciler.failedFrontends.isEmpty)
        #expect(base.violations == [])
    }

    @Test("words that only a waiting frontend refers to are not taken for damage")
    func unread() async throws {
        try await reconciler.restore(now: Self.start)
        store.refuse([Self.nodePort, FrontendKey(.fixture("10.96.0.7:80"), protocol: .tcp)])
        await reconciler.apply([Self.web("10.1.0.1:80", "10.1.0.2:80").change], now: Self.start)
        #expect(await reconciler.tick(now: Self.start + .seconds(10)).audit?.differences == 0)
        store.refuse([])
        store.refuseSlots(true)
        let other = ServicePortPlan.fixture("a/b", [.externalIP("203.0.113.1:80")], cluster: ["10.1.0.9:80"])
        await reconciler.apply([other.change], now: Self.start + .seconds(11))
        #expect(await reconciler.tick(now: Self.start + .seconds(21)).audit?.differences == 0)
    }

    @Test("what somebody else put into a full map is removed, and what it kept out is written at once")
    func foreign() async throws {
        try await reconciler.restore(now: Self.start)
        await reconciler.apply([Self.web("10.1.0.1:80").change], now: Self.start)
        store.setCapacity(5)
        base.tamper { maps in
            for number in 1...2 {
                let place = AddressAndPort.fixture("203.0.113.\(number):1")
                maps.frontends[FrontendKey(place, protocol: .udp)] = maps.frontends[Self.nodePort]
            }
        }
        let other = ServicePortPlan.fixture("a/b", [.nodePort("192.0.2.9:30081")], cluster: ["10.1.0.9:80"])
        let failure = await reconciler.apply([other.change], now: Self.start + .seconds(1))
        #expect(failure.failed.map(\.key.description) == ["192.0.2.9:30081/TCP"])
        let report = await reconciler.tick(now: Self.start + .seconds(10))
        #expect(report.audit?.frontends == 2)
        #expect(report.recovered.map(\.description) == ["192.0.2.9:30081/TCP"])
        #expect(report.errors.isEmpty)
        #expect(try base.contents().frontends.count == 4)
    }

    @Test("sockets that cannot be destroyed do not keep audits from their work")
    func sockets() async throws {
        try await reconciler.restore(now: Self.start)
        await reconciler.apply([Self.web("10.1.0.1:80", "10.1.0.2:80").change], now: Self.start)
        store.refuseSockets(true)
        await reconciler.apply([Self.web("10.1.0.2:80").change], now: Self.start)
        base.tamper { $0.frontends[Self.nodePort] = nil }
        #expect(await reconciler.tick(now: Self.start + .seconds(10)).audit?.frontends == 1)
        #expect(try base.contents().frontends[Self.nodePort] != nil)
    }

    @Test("a frontend that cannot be changed keeps what it shows out of use, and nothing else")
    func heldIDs() async throws {
        let other = ServicePortPlan.fixture("a/b", [.externalIP("203.0.113.1:80")], cluster: ["10.1.0.9:80"])
        await reconciler.apply([Self.web("10.1.0.1:80", "10.1.0.2:80").change, other.change], now: Self.start)
        store.refuse([Self.nodePort])
        await reconciler.apply([Self.web("10.1.0.3:80").change, other.removal], now: Self.start)
        base.advance(to: Self.start + .seconds(61))
        await reconciler.tick(now: Self.start + .seconds(61))
        // Of web: both backends that the node port shows, and the one that it should.
        #expect(await reconciler.usage.used.backends == 3)
        #expect(await reconciler.usage.used.services == 1)
        #expect(await reconciler.usage.used.slotWords == 2)
        #expect(base.violations == [])
        store.refuse([])
        for seconds in [1100, 1200] {
            base.advance(to: Self.start + .seconds(seconds))
            await reconciler.tick(now: Self.start + .seconds(seconds))
        }
        #expect(await reconciler.usage.used.backends == 1)
        #expect(base.violations == [])
    }
}
