// Stores that fail at random: whatever fails and whenever, the maps end up as planned, and no packet ever sees half a
// change on the way.

import DatapathImage
import DatapathTestSupport
import LoadBalancing
import NetworkTypes
import Reconciler
import ServiceModel
import Testing

@Suite struct ConvergenceTests {
    private static func scratch(_ generator: PlanGenerator) throws -> String {
        var harness = ImageHarness()
        try harness.apply(generator.plans.keys.sorted().compactMap { generator.plans[$0]?.change })
        return try harness.text
    }

    @Test("a store that fails now and then ends up as planned", arguments: 1...4)
    func converges(seed: UInt64) async throws {
        let start = ContinuousClock.now
        let fake = FakeDatapathStore(grace: .seconds(20))
        let store = FaultyDatapathStore(fake, seed: seed)
        let settings = ReconcilerSettings(grace: .seconds(20), auditInterval: nil, retry: .init(first: .seconds(1)))
        let reconciler = Reconciler(store: store, limits: ImageLimits(), settings: settings, seed: seed)
        var generator = PlanGenerator(seed: 4000 + seed)
        var now = start
        fake.advance(to: now)
        for round in 1...5 {
            store.setProbability(0.25)
            for _ in 1...30 {
                await reconciler.apply(generator.nextChanges(), now: now)
                now += .seconds(generator.pick(0...4))
                fake.advance(to: now)
                await reconciler.tick(now: now)
            }
            store.setProbability(0)
            for _ in 1...8 {
                now += .seconds(31)
                fake.advance(to: now)
                await reconciler.tick(now: now)
            }
            #expect(await reconciler.isSettled, "round \(round)")
            #expect(await reconciler.failedFrontends.isEmpty, "round \(round)")
            #expect(try fake.contents().description == (try Self.scratch(generator)), "round \(round)")
            #expect(try fake.contents().wrongTables() == [], "round \(round)")
            #expect(fake.violations == [], "round \(round)")
        }
        #expect(store.failures > 20)
    }

    @Test("crashes between failing writes, with restarts from whatever is there, end up as planned", arguments: 1...4)
    func crashes(seed: UInt64) async throws {
        var now = ContinuousClock.now
        let fake = FakeDatapathStore(grace: .zero)
        fake.advance(to: now)
        let store = FaultyDatapathStore(fake, seed: seed)
        var generator = PlanGenerator(seed: 5000 + seed)
        for _ in 1...10 {
            let reconciler = Reconciler(
                store: store, limits: ImageLimits(),
                settings: ReconcilerSettings(grace: .seconds(5), auditInterval: nil), seed: seed)
            store.setProbability(0)
            try await reconciler.restore(now: now)
            await reconciler.apply(generator.plans.values.map(\.change), now: now)
            await reconciler.allSourcesSynced(now: now)
            store.setProbability(0.3)
            for _ in 1...10 {
                await reconciler.apply(generator.nextChanges(), now: now)
                now += .seconds(generator.pick(0...3))
                fake.advance(to: now)
                await reconciler.tick(now: now)
            }
        }
        let last = Reconciler(
            store: fake, limits: ImageLimits(),
            settings: ReconcilerSettings(grace: .seconds(5), auditInterval: nil), seed: seed)
        try await last.restore(now: now)
        await last.apply(generator.plans.values.map(\.change), now: now)
        await last.allSourcesSynced(now: now)
        now += .seconds(10)
        fake.advance(to: now)
        await last.tick(now: now)
        #expect(try fake.contents().description == (try Self.scratch(generator)))
        #expect(await last.isSettled)
        #expect(fake.violations == [])
    }
}
