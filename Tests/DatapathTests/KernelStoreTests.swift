// The store over the kernel's maps keeps the same contract as the one in memory that the Reconciler's tests use; and what
// it writes is what a program and a second process read.

import BPF
import CDatapathABI
import Datapath
import DatapathImage
import DatapathTestSupport
import LoadBalancing
import NetworkTypes
import Reconciler
import ServiceModel
import Testing

@Suite("The kernel store", .serialized)
struct KernelStoreTests {
    private func plans(_ count: Int) -> [DatapathImage.Change] {
        (0..<count).map { number in
            let name = ServicePortName(
                service: ObjectName(namespace: "test", name: "s\(number)"), portName: "http", protocol: .tcp)
            let address = IPAddress(ipv4: 0xac1e_0000 + UInt32(number))
            let backends = (1...3).map { index in
                Backend(
                    address: AddressAndPort(
                        address: IPAddress(ipv4: 0x0a00_0000 + UInt32(number * 4 + index)), port: 8080))
            }
            let frontend = FrontendPlan(
                kind: .clusterIP, address: AddressAndPort(address: address, port: 80), externalTo: .cluster,
                internalTo: .cluster)
            let family = FamilyPlan(
                family: .ipv4, cluster: backends, serving: backends.map(\.address), frontends: [frontend])
            return (name, ServicePortPlan(name: name, port: 80, families: [family]))
        }
    }

    @Test("keeps the contract of DatapathStore")
    func contract() throws {
        let scratch = try ScratchInstallation()
        #expect(StoreContract.violations(of: try scratch.install()) == [])
    }

    @Test("a second reconciler that restores from the maps finds nothing to write, and removes what nobody claims")
    func restoring() async throws {
        let scratch = try ScratchInstallation()
        let all = plans(300)
        let datapath = try scratch.install()
        let first = Reconciler(store: datapath, limits: try datapath.limits(), seed: 1)
        await first.apply(all, now: .now)
        let before = try datapath.contents()
        let again = Reconciler(store: FrozenStore(before), limits: ImageLimits(), seed: 1)
        try await again.restore(now: .now)
        #expect(await again.apply(all, now: .now).errors.isEmpty)
        #expect(await again.counters.transactions == 0)
        await again.apply(all.prefix(100).map { ($0.name, nil) }, now: .now)
        #expect(await again.counters.removed[.frontends] == 200)
    }

    @Test("what was counted for a deleted service is not credited to the one that gets its id")
    func counters() async throws {
        let scratch = try ScratchInstallation()
        // Room for one service port: element 0 is never used.
        let datapath = try scratch.install(MapSizes(frontends: 64, backends: 64, slotWords: 64, services: 2))
        let reconciler = Reconciler(
            store: datapath, limits: try datapath.limits(), settings: .init(grace: .seconds(1), auditInterval: nil),
            seed: 1)
        let (old, new) = (plans(2)[0], plans(2)[1])
        let start = ContinuousClock.now
        await reconciler.apply([old], now: start)
        let counted = dp_service_counters(connections: 3, refused: 4, packets: 5, bytes: 6)
        try datapath.maps.serviceCounters.update(
            1, Array(repeating: counted, count: datapath.maps.serviceCounters.cpuCount))
        await reconciler.apply([(old.name, nil), new], now: start)
        #expect(await reconciler.serviceIDs.isEmpty)
        await reconciler.tick(now: start + .seconds(1))
        #expect(await reconciler.serviceIDs.map(\.name) == [new.name])
        #expect(try datapath.maps.counters(ofService: 1) == ServiceCounters())
    }

    @Test("a second agent on the same pin folder is refused while the first one lives")
    func locking() throws {
        let scratch = try ScratchInstallation()
        let datapath = try scratch.install()
        #expect(throws: DatapathError.self) { try scratch.install() }
        withExtendedLifetime(datapath) {}
    }

    @Test("a frontend that does not fit costs only itself, and is programmed when there is room")
    func fullMap() async throws {
        let scratch = try ScratchInstallation()
        let datapath = try scratch.install(MapSizes(frontends: 10, backends: 8192, slotWords: 65536, services: 8192))
        let reconciler = Reconciler(store: datapath, limits: try datapath.limits(), seed: 1)
        let all = plans(7)
        await reconciler.apply(all, now: .now)
        // Each service has a frontend and a wildcard.
        #expect(try datapath.maps.frontends.count() == 10)
        let failed = await reconciler.failedFrontends
        #expect(failed.count == 4)
        await reconciler.apply(all.prefix(3).map { ($0.name, nil) }, now: .now)
        #expect(await reconciler.failedFrontends.isEmpty)
        #expect(try datapath.maps.frontends.count() == 8)
    }

    @Test("a changed frontend has a record in another place, and what finds no place keeps its old record for now")
    func places() throws {
        let scratch = try ScratchInstallation()
        let datapath = try scratch.install(
            MapSizes(frontends: 64, backends: 64, slotWords: 64, services: 64))
        let key = FrontendKey(AddressAndPort(address: IPAddress(ipv4: 0xac1e_0001), port: 80), protocol: .tcp)
        let records = (0..<2).map { number in
            var record = dp_frontend()
            record.service_id = UInt32(number)
            return FrontendRecord(record)
        }
        let placeNow = { try datapath.maps.frontends.places.lookup(key) }
        var failures = 0
        for turn in 0..<datapath.maps.frontends.capacity + 5 {
            let before = try placeNow()
            do {
                try datapath.updateFrontends([.init(key: key, record: records[turn % 2])])
                #expect(try placeNow() != before)
                #expect(try datapath.maps.frontends.lookup(key) == records[turn % 2])
            } catch let error as StoreError {
                failures += 1
                #expect(error.failed == .entries([0]) && error.reason.contains("grace period"))
                #expect(try placeNow() == before)
            }
        }
        #expect(failures == 6)
    }

    @Test("an audit repairs what somebody else changed in the maps, and counts it")
    func auditing() async throws {
        let scratch = try ScratchInstallation()
        let datapath = try scratch.install()
        let reconciler = Reconciler(store: datapath, limits: try datapath.limits(), seed: 1)
        await reconciler.apply(plans(20), now: .now)
        let good = try datapath.contents()

        let victim = try #require(good.frontends.keys.sorted().first { !$0.isWildcard })
        try datapath.deleteFrontends([victim])
        try datapath.writeBackends([.init(id: 3, record: .free)])
        let report = await reconciler.audit(now: .now)
        #expect(try #require(report.audit).differences == 2)
        #expect(try datapath.contents() == good)
        #expect(await reconciler.audit(now: .now).audit?.differences == 0)
    }

    @Test("pins and links that somebody removed are restored, with the state that was in the maps")
    func installation() async throws {
        let scratch = try ScratchInstallation()
        let datapath = try scratch.install()
        let reconciler = Reconciler(store: datapath, limits: try datapath.limits(), seed: 1)
        await reconciler.apply(plans(5), now: .now)
        #expect(try datapath.repairInstallation() == [])
        try BPFFileSystem.unpin("\(scratch.folder.path)/maps/frontends")
        try BPFFileSystem.unpin("\(scratch.folder.path)/links/connect4")
        #expect(try datapath.repairInstallation() == ["pin of map frontends", "link of hook connect4"])
        #expect(try DatapathMaps.open(scratch.folder).frontends.count() == 10)
        #expect(try datapath.repairInstallation() == [])
    }

    @Test("maps whose pins somebody removed are pinned again, the very same ones if they hold state")
    func sameMaps() throws {
        let scratch = try ScratchInstallation()
        let datapath = try scratch.install()
        let folder = scratch.folder
        func ids() throws -> [MapName: UInt32] {
            var ids: [MapName: UInt32] = [:]
            for name in MapName.allCases {
                ids[name] = try MapDescriptor.open(pinned: folder.pin(of: name)).info().id
            }
            return ids
        }
        let before = try ids()
        for name in MapName.allCases { try BPFFileSystem.unpin(folder.pin(of: name)) }
        #expect(try datapath.repairInstallation() == MapName.allCases.map { "pin of map \($0.rawValue)" })
        let after = try ids()
        // What only the programs use is made anew together with them.
        let ofPrograms: [MapName] = [
            .skipCgroups, .contract, .eventBudget, .events, .multipath, .fragments, .captures,
        ]
        #expect(MapName.allCases.filter { before[$0] != after[$0] } == ofPrograms)
    }
}

/// Contents that can be read and are not written: for looking at what a reconciler would do.
private struct FrozenStore: DatapathStore {
    private let frozen: MapContents

    init(_ contents: MapContents) { frozen = contents }

    func contents() -> MapContents { frozen }
    func writeSlots(_ writes: SlotWrites) {}
    func writeBackends(_ writes: [Transaction.BackendWrite]) {}
    func writeServices(_ writes: [Transaction.ServiceWrite]) {}
    func deleteServices(_ ids: [UInt32]) {}
    func updateFrontends(_ updates: [Transaction.FrontendUpdate]) {}
    func deleteFrontends(_ keys: [FrontendKey]) {}
    func updateNodePorts(_ keys: [NodePortKey]) {}
    func deleteNodePorts(_ keys: [NodePortKey]) {}
    func updateServiceCIDRs(_ prefixes: [PrefixKey]) {}
    func frontendsWithMovedFlows(_ changing: [FrontendKey: FrontendRecord]) -> Set<FrontendKey> { [] }
    func deleteServiceCIDRs(_ prefixes: [PrefixKey]) {}
    func updateSourceRanges(_ writes: [Transaction.SourceRangeWrite]) {}
    func deleteSourceRanges(_ keys: [SourceRangeKey]) {}
    func forgetAffinity(_ lost: [LostAffinity]) {}
    func destroyStaleSockets(_ stale: [StaleSockets]) {}
}
