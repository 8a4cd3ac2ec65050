// The reconciler: phases in order, failures kept and tried again, space given back in time, audits, a sweep at start.

import CDatapathABI
import DatapathImage
import DatapathTestSupport
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@testable import Reconciler

@Suite struct ReconcilerTests {
    private static let start = ContinuousClock.now
    private static let web = ServicePortPlan.fixture(
        "shop/web", [.clusterIP("10.96.0.7:80"), .nodePort("192.0.2.1:30080")],
        cluster: ["10.1.0.1:80", "10.1.0.2:80"], affinity: 60)
    private static let webKey = FrontendKey(.fixture("10.96.0.7:80"), protocol: .tcp)
    private static let webWithout2 = ServicePortPlan.fixture(
        "shop/web", [.clusterIP("10.96.0.7:80"), .nodePort("192.0.2.1:30080")], cluster: ["10.1.0.1:80"], affinity: 60)

    private static func reconciler(
        _ store: any DatapathStore, limits: ImageLimits = ImageLimits(), audits: Duration? = nil
    ) -> Reconciler {
        Reconciler(
            store: store, limits: limits,
            settings: ReconcilerSettings(
                grace: .seconds(60), auditInterval: audits, retry: .init(first: .seconds(1), jitter: 0)),
            seed: 1)
    }

    private static func fake() -> FakeDatapathStore {
        let store = FakeDatapathStore(grace: .seconds(60))
        store.advance(to: start)
        return store
    }

    @Test("a transaction is performed phase by phase")
    func phases() async {
        let store = Self.fake()
        let reconciler = Self.reconciler(store)
        await reconciler.apply([Self.web.change], now: Self.start)
        #expect(
            store.takeLog() == [
                "write slots 1", "write backends 2", "write services 1", "write frontends 3", "write node_ports 1",
            ])
        await reconciler.apply([Self.webWithout2.change], now: Self.start)
        #expect(store.takeLog() == ["write slots 1", "write frontends 2", "delete affinity 1", "destroy sockets 1"])
        await reconciler.apply([Self.web.removal], now: Self.start)
        #expect(store.takeLog() == ["delete frontends 3", "delete node_ports 1", "delete affinity 1"])
        #expect(store.forgottenAffinity.map(\.backendIDs) == [[2], [1]])
        #expect(store.destroyedSockets.map(\.lost) == [[.fixture("10.1.0.2:80")]])
    }

    @Test("space is given back after the grace period, and not before")
    func grace() async throws {
        let store = Self.fake()
        let reconciler = Self.reconciler(store)
        await reconciler.apply([Self.web.change], now: Self.start)
        let report = await reconciler.apply([Self.web.removal], now: Self.start + .seconds(5))
        #expect(report.next == Self.start + .seconds(65))
        #expect(await !reconciler.isSettled)
        await reconciler.tick(now: Self.start + .seconds(64))
        #expect(await reconciler.usage.used.backends == 2)
        store.advance(to: Self.start + .seconds(65))
        let last = await reconciler.tick(now: Self.start + .seconds(65))
        #expect(last.next == nil)
        #expect(await reconciler.usage.used == DatapathImage().usage)
        #expect(try store.contents().description == "")
        #expect(store.violations == [])
        #expect(await reconciler.isSettled)
    }

    @Test("an endless rollout never overwrites what a packet may still be reading")
    func rollout() async throws {
        let store = Self.fake()
        let reconciler = Self.reconciler(store, limits: ImageLimits(backends: 400, slotWords: 4000))
        for step in 0..<300 {
            let now = Self.start + .seconds(step)
            store.advance(to: now)
            let plan = ServicePortPlan.fixture(
                "shop/web", [.clusterIP("10.96.0.7:80")],
                cluster: (0..<3).map { "10.1.\(step / 200).\((step + $0) % 200 + 1):80" },
                algorithm: .maglev)
            await reconciler.apply([plan.change], now: now)
            await reconciler.tick(now: now)
        }
        #expect(store.violations == [])
        #expect(await reconciler.failedFrontends.isEmpty)
        #expect(try store.contents().wrongTables() == [])
    }

    @Test("a frontend that fails has a status, keeps its old record, and is tried again with back-off")
    func failure() async throws {
        let base = Self.fake()
        let store = FailingStore(base)
        let reconciler = Self.reconciler(store)
        await reconciler.apply([Self.web.change], now: Self.start)
        let key = FrontendKey(.fixture("192.0.2.1:30080"), protocol: .tcp)
        #expect(await reconciler.status(of: key)?.state == .programmed)

        store.refuse([key])
        let report = await reconciler.apply([Self.webWithout2.change], now: Self.start + .seconds(10))
        #expect(report.errors.map(\.map) == [.frontends])
        #expect(report.failed.map(\.key) == [key])
        #expect(report.next == Self.start + .seconds(11))
        let reason = "map frontends: write of 1 entry failed: Cannot allocate memory (errno 12)"
        #expect(
            await reconciler.status(of: key)?.state
                == .failed(reason: reason, since: Self.start + .seconds(10), attempts: 1))
        #expect(try base.contents().text(of: key).contains("10.1.0.1:80 10.1.0.2:80"))
        // The other frontend of the service is not held up; sockets and affinity wait for all of the service.
        #expect(try base.contents().text(of: Self.webKey).hasSuffix("forward to 10.1.0.1:80"))
        #expect(base.destroyedSockets.isEmpty && base.forgottenAffinity.isEmpty)

        let second = await reconciler.tick(now: Self.start + .seconds(11))
        #expect(second.next == Self.start + .seconds(13))
        #expect(
            await reconciler.failedFrontends == [
                FrontendStatus(
                    key: key, state: .failed(reason: reason, since: Self.start + .seconds(10), attempts: 2))
            ])
        store.refuse([])
        #expect(await reconciler.tick(now: Self.start + .seconds(12)).recovered.isEmpty)
        let last = await reconciler.tick(now: Self.start + .seconds(13))
        #expect(last.recovered == [key])
        #expect(await reconciler.status(of: key)?.state == .programmed)
        #expect(base.destroyedSockets.count == 1 && base.forgottenAffinity.count == 1)
        #expect(await reconciler.counters.retries == 2)
    }

    @Test("the space that a frontend shows because it cannot be changed is not given back")
    func heldSpace() async throws {
        let base = Self.fake()
        let store = FailingStore(base)
        let reconciler = Self.reconciler(store)
        await reconciler.apply([Self.web.change], now: Self.start)
        let key = FrontendKey(.fixture("192.0.2.1:30080"), protocol: .tcp)
        store.refuse([key])
        await reconciler.apply([Self.webWithout2.change], now: Self.start)
        for minute in 1...5 {
            let now = Self.start + .seconds(61 * minute)
            base.advance(to: now)
            let other = ServicePortPlan.fixture(
                "a/s\(minute)", [.clusterIP("10.96.1.\(minute):80")], cluster: ["10.2.0.\(minute):80"])
            await reconciler.apply([other.change], now: now)
            await reconciler.tick(now: now)
        }
        #expect(base.violations == [])
        #expect(try base.contents().text(of: key).contains("10.1.0.1:80 10.1.0.2:80"))
        store.refuse([])
        var now = Self.start + .seconds(400)
        for _ in 1...3 {
            base.advance(to: now)
            await reconciler.tick(now: now)
            now += .seconds(100)
        }
        #expect(base.violations == [])
        #expect(await reconciler.isSettled)
        #expect(try !base.contents().description.contains("10.1.0.2:80"))
    }

    @Test("the id of a frontend that cannot be removed is not given back, even if it refers to nothing else")
    func heldID() async throws {
        let base = Self.fake()
        let store = FailingStore(base)
        let reconciler = Self.reconciler(store)
        let plan = ServicePortPlan.fixture("a/none", [.externalIP("203.0.113.1:80")])
        await reconciler.apply([plan.change], now: Self.start)
        store.refuse([FrontendKey(.fixture("203.0.113.1:80"), protocol: .tcp)])
        await reconciler.apply([plan.removal], now: Self.start)
        base.advance(to: Self.start + .seconds(100))
        await reconciler.tick(now: Self.start + .seconds(100))
        #expect(await reconciler.usage.used.services == 1)
        #expect(base.violations == [])
        store.refuse([])
        for seconds in [200, 300, 400] {
            base.advance(to: Self.start + .seconds(seconds))
            await reconciler.tick(now: Self.start + .seconds(seconds))
        }
        #expect(await reconciler.isSettled)
        #expect(try base.contents().description == "")
    }

    @Test("nothing is flipped onto space that could not be written")
    func spaceFails() async throws {
        let base = Self.fake()
        let store = FaultyDatapathStore(base, seed: 1)
        let reconciler = Self.reconciler(store)
        store.setProbability(1)
        let report = await reconciler.apply([Self.web.change], now: Self.start)
        #expect(report.failed.contains { $0.key == Self.webKey })
        #expect(try base.contents().frontends[Self.webKey] == nil)
        store.setProbability(0)
        await reconciler.tick(now: Self.start + .seconds(1))
        #expect(try base.contents().text(of: Self.webKey).contains("10.1.0.2:80"))
        #expect(base.violations == [])
        #expect(await reconciler.failedFrontends.isEmpty)
    }

    @Test("what had no room is tried again when room was made")
    func noRoom() async throws {
        let store = Self.fake()
        let reconciler = Self.reconciler(store, limits: ImageLimits(frontends: 1))
        let plans = (1...2).map {
            ServicePortPlan.fixture("a/s\($0)", [.nodePort("192.0.2.\($0):30080")], cluster: ["10.1.0.1:80"])
        }
        let report = await reconciler.apply(plans.map(\.change), now: Self.start)
        #expect(report.failed.map(\.key.description) == ["192.0.2.2:30080/TCP"])
        #expect(report.next == nil)
        let after = await reconciler.apply([plans[0].removal], now: Self.start + .seconds(1))
        #expect(after.recovered.map(\.description) == ["192.0.2.2:30080/TCP"])
        #expect(try store.contents().description.contains("192.0.2.2:30080/TCP"))
    }

    @Test("a frontend that could not take the place of another says that nothing is in force for it")
    func nothingInForce() async {
        let reconciler = Self.reconciler(Self.fake(), limits: ImageLimits(backends: 2))
        func plan(_ port: Int, _ endpoint: String) -> ServicePortPlan {
            .fixture("a/b", [.clusterIP("10.96.0.1:\(port)")], cluster: [endpoint])
        }
        await reconciler.apply([plan(80, "10.1.0.1:80").change], now: Self.start)
        let changed = await reconciler.apply([plan(80, "10.1.0.2:80").change], now: Self.start)
        #expect(changed.failed.map(\.hasRecord) == [true])
        let moved = await reconciler.apply([plan(81, "10.1.0.2:80").change], now: Self.start)
        #expect(moved.failed.map(\.hasRecord) == [false])
    }

    @Test("a full arena is tried again after the grace period")
    func noSpace() async throws {
        let store = Self.fake()
        let reconciler = Self.reconciler(store, limits: ImageLimits(slotWords: 1))
        await reconciler.apply([Self.webWithout2.change], now: Self.start)
        let other = ServicePortPlan.fixture("a/b", [.externalIP("203.0.113.1:80")], cluster: ["10.1.0.9:80"])
        await reconciler.apply([Self.web.removal, other.change], now: Self.start)
        #expect(await reconciler.failedFrontends.count == 1)
        store.advance(to: Self.start + .seconds(60))
        await reconciler.tick(now: Self.start + .seconds(60))
        #expect(await reconciler.failedFrontends.isEmpty)
        #expect(try store.contents().description.contains("forward to 10.1.0.9:80"))
        #expect(store.violations == [])
    }

    @Test("a restart takes over, sweeps the sockets once, and removes what nobody claims")
    func restart() async throws {
        let store = Self.fake()
        let first = Self.reconciler(store)
        let old = ServicePortPlan.fixture("a/old", [.clusterIP("10.96.0.1:80")], cluster: ["10.1.0.9:80"])
        await first.apply([Self.web.change, old.change], now: Self.start)
        _ = store.takeLog()

        let second = Self.reconciler(store)
        try await second.restore(now: Self.start)
        await second.apply([Self.web.change], now: Self.start)
        #expect(store.takeLog() == [])
        await second.allSourcesSynced(now: Self.start)
        #expect(store.takeLog() == ["delete frontends 2", "destroy sockets 1"])
        #expect(store.destroyedSockets.map(\.lost) == [[]])
        await second.allSourcesSynced(now: Self.start)
        #expect(store.takeLog() == [])
    }

    @Test("sockets are looked through once more after the grace period, by what serves then")
    func repeatedSweep() async throws {
        let store = Self.fake()
        let reconciler = Self.reconciler(store)
        func plan(_ cluster: String...) -> ServicePortPlan {
            .fixture("shop/dns", protocol: .udp, [.clusterIP("10.96.0.9:53")], cluster: cluster)
        }
        await reconciler.apply([plan("10.1.0.1:53", "10.1.0.2:53").change], now: Self.start)
        await reconciler.apply([plan("10.1.0.2:53").change], now: Self.start)
        await reconciler.apply([plan("10.1.0.2:53", "10.1.0.3:53").change], now: Self.start + .seconds(9))
        await reconciler.tick(now: Self.start + .seconds(59))
        #expect(store.destroyedSockets.map(\.lost) == [[.fixture("10.1.0.1:53")]])
        store.advance(to: Self.start + .seconds(60))
        await reconciler.tick(now: Self.start + .seconds(60))
        #expect(store.destroyedSockets.count == 2)
        #expect(store.destroyedSockets.last?.serving == [.fixture("10.1.0.2:53"), .fixture("10.1.0.3:53")])
        await reconciler.tick(now: Self.start + .seconds(600))
        #expect(store.destroyedSockets.count == 2)
    }

    @Test("a second look that finds nothing serving waits for something that does, and one that fails is repeated")
    func repeatedSweepLater() async throws {
        let base = Self.fake()
        let store = FailingStore(base)
        let reconciler = Self.reconciler(store)
        func plan(_ cluster: String...) -> ServicePortPlan {
            .fixture("shop/dns", protocol: .udp, [.externalIP("203.0.113.1:53")], cluster: cluster)
        }
        await reconciler.apply([plan("10.1.0.1:53", "10.1.0.2:53").change], now: Self.start)
        await reconciler.apply([plan("10.1.0.2:53").change], now: Self.start)
        await reconciler.apply([plan().change], now: Self.start)
        base.advance(to: Self.start + .seconds(60))
        await reconciler.tick(now: Self.start + .seconds(60))
        #expect(base.destroyedSockets.count == 1)
        store.refuseSockets(true)
        await reconciler.apply([plan("10.1.0.2:53").change], now: Self.start + .seconds(70))
        #expect(base.destroyedSockets.count == 1)
        store.refuseSockets(false)
        await reconciler.tick(now: Self.start + .seconds(71))
        #expect(base.destroyedSockets.count == 2)
        base.advance(to: Self.start + .seconds(131))
        await reconciler.tick(now: Self.start + .seconds(131))
        #expect(base.destroyedSockets.count == 3)
    }

    @Test("maps that cannot be read at start are an error, not an empty image")
    func unreadable() async {
        let store = FaultyDatapathStore(Self.fake(), seed: 1)
        store.setProbability(1)
        let reconciler = Self.reconciler(store)
        await #expect(throws: StoreError.self) { try await reconciler.restore(now: Self.start) }
        #expect(await reconciler.counters.failures == [.frontends: 1])
    }

    @Test("an audit comes in its time, repairs, and counts")
    func audit() async throws {
        let store = Self.fake()
        let reconciler = Self.reconciler(store, audits: .seconds(600))
        try await reconciler.restore(now: Self.start)
        #expect(await reconciler.apply([Self.web.change], now: Self.start).next == Self.start + .seconds(600))
        store.tamper { $0.nodePorts = [] }
        #expect(await reconciler.tick(now: Self.start + .seconds(599)).audit == nil)
        let report = await reconciler.tick(now: Self.start + .seconds(600))
        #expect(report.audit?.nodePorts == 1)
        #expect(report.next == Self.start + .seconds(1200))
        #expect(try store.contents().nodePorts.count == 1)
        let counters = await reconciler.counters
        #expect(counters.audits == 1 && counters.differencesFound == 1 && counters.repairs == 1)
    }

    @Test("counters say what was written where")
    func counters() async {
        let reconciler = Self.reconciler(Self.fake())
        await reconciler.apply([Self.web.change], now: Self.start)
        await reconciler.apply([Self.web.change], now: Self.start)
        await reconciler.apply([Self.web.removal], now: Self.start)
        let counters = await reconciler.counters
        #expect(counters.transactions == 2)
        #expect(counters.written == [.slots: 1, .backends: 2, .services: 1, .frontends: 3, .nodePorts: 1])
        #expect(counters.removed == [.frontends: 3, .nodePorts: 1, .affinity: 1])
        #expect(counters.failures.isEmpty)
    }
}
