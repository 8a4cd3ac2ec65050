// Somebody else writes into the maps, removes pins or detaches links under a running agent: the audit finds it, repairs
// it and counts it, and services that were not touched notice nothing.

import BPF
import CDatapathABI
import Datapath
import DatapathImage
import HostCalls
import Inspection
import NetworkTypes
import ProbeProtocol
import Testing
import World

@Suite("Damage from outside", .serialized)
struct DamageTests {
    private let hurt = TestService(name: "hurt", address: "172.30.0.10", endpoints: [Scene.server(1)])
    private let other = TestService(name: "other", address: "172.30.0.20", endpoints: [Scene.server(2)])

    /// Ways to harm the records of the service `hurt`.
    enum Harm: String, CaseIterable {
        case frontendDeleted = "a frontend is deleted"
        case frontendChanged = "a frontend is made to refuse"
        case frontendMoved = "a frontend leads to a record that is not there"
        case sharedPlace = "an entry is put there that leads to another frontend's record"
        case foreignFrontend = "a frontend is put there that no service has"
        case backendChanged = "a backend points elsewhere"
        case slotsZeroed = "slots are zeroed"
        case serviceDeleted = "the name of a service is deleted"

        func inflict(_ folder: PinFolder, on service: TestService) throws {
            let maps = try DatapathMaps.open(folder)
            let key = try FrontendKeys.of(service)
            let record = try #require(try maps.frontends.lookup(key))
            switch self {
            case .frontendDeleted: try #require(try maps.frontends.places.delete(key))
            case .frontendChanged:
                let place = Int(try #require(try maps.frontends.places.lookup(key)))
                var records = try MappedArray<PlacedFrontend>(maps.frontends.records)
                records.write(place, PlacedFrontend(key, FrontendRecord(.init())))
            case .frontendMoved: try maps.frontends.places.update(key, 0)
            case .foreignFrontend:
                let address = try #require(AddressAndPort("172.30.9.9:80"))
                let foreign = FrontendKey(address, protocol: .tcp)
                var records = try MappedArray<PlacedFrontend>(maps.frontends.records)
                records.write(maps.frontends.capacity - 1, PlacedFrontend(foreign, record))
                try maps.frontends.places.update(foreign, UInt32(maps.frontends.capacity - 1))
            case .sharedPlace:
                let place = try #require(try maps.frontends.places.lookup(key))
                let address = try #require(AddressAndPort("172.30.9.9:80"))
                try maps.frontends.places.update(FrontendKey(address, protocol: .tcp), place)
            case .backendChanged:
                var backends = try MappedArray<BackendRecord>(maps.backends)
                let id = try #require(
                    (0..<backends.count).first {
                        "\(backends.read($0).address)" == "\(Scene.server(1)):8080"
                    })
                let place = try #require(AddressAndPort("10.0.1.11:9"))
                backends.write(id, BackendRecord(place, protocol: .tcp, weight: 1))
            case .slotsZeroed:
                var slots = try MappedArray<UInt64>(maps.slots)
                let range = try #require(record.slotRanges.first { !$0.isEmpty })
                for word in range { slots.write(word, 0) }
            case .serviceDeleted:
                let id = try #require(try MapSnapshot(folder).serviceID(service.name))
                try #require(try maps.services.delete(id))
            }
        }
    }

    @Test("to the maps is repaired and counted by the next audit, and other services notice nothing")
    func maps() async throws {
        try await withScene { scene in
            try scene.publish(hurt, other)
            let agent = try scene.start(["--audit-interval", "1500ms"])
            #expect(try scene.isServed(hurt, by: ["web-1"]))
            let load = try scene.client.startLoad(
                .tcp, other.address, 80, mode: .new, concurrency: 2, rest: .milliseconds(5))
            let whole = try MapSnapshot(scene.folder)
            for harm in Harm.allCases {
                let counted = try agent.metric("martlet_audit_differences_total")
                try harm.inflict(scene.folder, on: hurt)
                #expect(
                    try agent.waits(for: "martlet_audit_differences_total") { $0 > counted }, "\(harm.rawValue)")
                #expect(
                    try eventually(within: .seconds(10)) { try MapSnapshot(scene.folder) == whole }, "\(harm.rawValue)")
                #expect(try scene.isServed(hurt, by: ["web-1"]), "\(harm.rawValue)")
                // The state file shows the last audit: this one until the next.
                let audit = try eventually(within: .seconds(2)) {
                    try scene.status().agent.status?.lastAudit != nil
                }
                #expect(audit)
            }
            #expect(try load.stop().failed == 0)
            #expect(agent.log.contains("an audit found differences"))
        }
    }

    @Test("that mixes up two frontends sends nobody to the other one's backends")
    func mixedUp() async throws {
        try await withScene { scene in
            try scene.publish(hurt, other)
            try scene.start()
            let maps = try DatapathMaps.open(scene.folder)
            let place = try maps.frontends.places.lookup(try FrontendKeys.of(other))
            try maps.frontends.places.update(try FrontendKeys.of(hurt), try #require(place))
            // What stands in front of the hash may know better; the record is believed by its key in any case.
            #expect(try scene.client.ask(.tcp, hurt.address, 80, count: 5).names.isSubset(of: ["web-1"]))
            #expect(try scene.client.ask(.tcp, other.address, 80, count: 5).total == 5)
        }
    }

    @Test("is in the state file with what the last audit found")
    func stateFile() async throws {
        try await withScene(servers: 1) { scene in
            try scene.publish(hurt)
            try scene.start(["--audit-interval", "5s"])
            try Harm.frontendDeleted.inflict(scene.folder, on: hurt)
            var seen: (differences: Int, repaired: Int)?
            _ = try eventually(within: .seconds(20), every: .milliseconds(200)) {
                guard let audit = try scene.status().agent.status?.lastAudit, audit.differences > 0 else {
                    return false
                }
                seen = (audit.differences, audit.repaired)
                return true
            }
            // The frontend, and the slots that only it refers to.
            #expect(seen.map { 1...2 ~= $0.differences } == true)
            #expect(seen?.repaired == seen?.differences)
            #expect(try scene.isServed(hurt, by: ["web-1"]))
        }
    }

    @Test("that fills a map is removed although a service waits for the room, and hooks are restored meanwhile")
    func fullOfForeignEntries() async throws {
        try await withScene { scene in
            scene.mapSizes["frontends"] = 16
            try scene.publish(hurt)
            let agent = try scene.start(["--audit-interval", "2s"])
            #expect(try scene.isServed(hurt, by: ["web-1"]))
            let maps = try DatapathMaps.open(scene.folder)
            let place = try #require(try maps.frontends.places.lookup(try FrontendKeys.of(hurt)))
            for number in 1...14 {
                let address = try #require(AddressAndPort("172.30.9.\(number):80"))
                try maps.frontends.places.update(FrontendKey(address, protocol: .tcp), place)
            }
            try scene.publish(other)
            #expect(try agent.says("the datapath refused a write"))
            try BPFLink.open(pinned: "\(scene.folder.path)/links/connect4").detach()
            #expect(try agent.waits(for: "martlet_installation_repairs_total") { $0 == 1 })
            #expect(try scene.isServed(other, by: ["web-2"]))
            #expect(try agent.metric("martlet_audit_differences_total") == 14)
            #expect(try agent.metric("martlet_frontends_failed") == 0)
        }
    }

    @Test("to pins and links is repaired and counted, without losing connections or counters")
    func installation() async throws {
        try await withScene { scene in
            try scene.publish(hurt, other)
            let agent = try scene.start(["--audit-interval", "1s", "--device", "none"])
            #expect(try scene.isServed(hurt, by: ["web-1"]))
            let repairs = "martlet_installation_repairs_total"
            let links = "\(scene.folder.path)/links", maps = "\(scene.folder.path)/maps"
            let held = try scene.client.startLoad(
                .tcp, other.address, 80, mode: .hold, concurrency: 2, rest: .milliseconds(5))
            try scene.goesOn(held)
            let before = try MapSnapshot(scene.folder)
            let connections = try agent.metric(connectionsOf("hurt"))
            #expect(connections >= 20)

            try BPFLink.open(pinned: "\(links)/connect4").detach()
            #expect(try scene.client.ask(.tcp, hurt.address, 80, timeout: .milliseconds(300)).total == 0)
            #expect(try agent.waits(for: repairs) { $0 == 1 })
            #expect(try scene.isServed(hurt, by: ["web-1"]))

            try BPFFileSystem.unpin("\(links)/sendmsg4")
            try BPFFileSystem.unpin("\(maps)/frontends")
            try BPFFileSystem.unpin("\(maps)/contract")
            #expect(try agent.waits(for: repairs) { $0 == 4 })
            #expect(agent.log.contains("pin of map frontends"))
            #expect(try MapSnapshot(scene.folder) == before)
            #expect(try scene.status().complete)
            #expect(try scene.isServed(hurt, by: ["web-1"]))
            #expect(try agent.metric(connectionsOf("hurt")) > connections)

            try BPFFileSystem.removeTree(scene.folder.path)
            #expect(try agent.waits(for: repairs) { $0 > 20 })
            #expect(try eventually(within: .seconds(10)) { try scene.status().complete })
            #expect(try MapSnapshot(scene.folder) == before)
            #expect(try scene.isServed(hurt, by: ["web-1"]))
            #expect(try scene.launch().process.wait(within: .seconds(30)) == .exited(1), "the lock must still hold")

            var moved = hurt
            moved.endpoints = [Scene.server(2)]
            try scene.publish(moved)
            #expect(try scene.isServed(moved, by: ["web-2"]))
            let result = try held.stop()
            #expect(result.failed == 0 && result.misdirected == 0, "\(result)")
        }
    }

    private func connectionsOf(_ name: String) -> String {
        "martlet_service_connections_total{namespace=\"shop\",port=\"web\",protocol=\"TCP\",service=\"\(name)\"}"
    }
}
