// Source ranges that the store refuses: no frontend asks for ranges that are not there, and none loses those it shows.

import DatapathImage
import DatapathTestSupport
import LoadBalancing
import NetworkTypes
import Reconciler
import Testing

@Suite struct SourceRangeOrderTests {
    private static let start = ContinuousClock.now
    private static let key = FrontendKey(.fixture("203.0.113.1:80"), protocol: .tcp)

    private static func plan(_ ranges: [String]) -> ServicePortPlan {
        .fixture("shop/web", [.loadBalancer("203.0.113.1:80", ranges: ranges)], cluster: ["10.1.0.1:80"])
    }

    private static func reconciler(_ store: any DatapathStore) -> Reconciler {
        Reconciler(
            store: store, limits: ImageLimits(),
            settings: ReconcilerSettings(auditInterval: nil, retry: .init(first: .seconds(1), jitter: 0)), seed: 1)
    }

    @Test("a frontend does not ask for ranges that could not be written")
    func unwritten() async throws {
        let fake = FakeDatapathStore()
        let store = FailingStore(fake)
        let reconciler = Self.reconciler(store)
        await reconciler.apply([Self.plan([]).change], now: Self.start)
        store.refuseSourceRanges(true)
        await reconciler.apply([Self.plan(["10.0.0.0/8"]).change], now: Self.start)
        #expect(try fake.contents().frontends[Self.key]?.hasSourceRanges == false)
        #expect(await reconciler.failedFrontends.map(\.key) == [Self.key])
        #expect(await reconciler.counters.failures[.sourceRanges] == 1)
        store.refuseSourceRanges(false)
        await reconciler.tick(now: Self.start + .seconds(2))
        #expect(try fake.contents().frontends[Self.key]?.hasSourceRanges == true)
        #expect(await reconciler.failedFrontends.isEmpty)
        #expect(await reconciler.counters.written[.sourceRanges] == 1)
        #expect(fake.violations == [])
    }

    @Test("a frontend that cannot be changed keeps the ranges that it shows")
    func unflipped() async throws {
        let fake = FakeDatapathStore()
        let store = FailingStore(fake)
        let reconciler = Self.reconciler(store)
        await reconciler.apply([Self.plan(["10.0.0.0/8"]).change], now: Self.start)
        store.refuse([Self.key])
        await reconciler.apply([Self.plan([]).change], now: Self.start)
        #expect(try fake.contents().sourceRanges.count == 1)
        await reconciler.apply([Self.plan([]).removal], now: Self.start)
        #expect(try fake.contents().sourceRanges.count == 1)
        store.refuse([])
        await reconciler.tick(now: Self.start + .seconds(2))
        #expect(try fake.contents().sourceRanges.isEmpty)
        #expect(await reconciler.counters.removed[.sourceRanges] == 1)
        #expect(fake.violations == [])
    }
}
