// What a DSR frontend keeps of the backends that it had before a change, and until when (dp_frontend.previous).

import CDatapathABI
import DatapathTestSupport
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@testable import DatapathImage

@Suite struct ChangingTests {
    private static let address = "192.0.2.1:30080"
    private static let key = FrontendKey(.fixture(address), protocol: .tcp)

    private static func web(_ endpoints: [String], isDSR: Bool = true) -> ServicePortPlan {
        var plan = ServicePortPlan.fixture("test/web", [.nodePort(address)], cluster: endpoints)
        plan.isDSR = isDSR
        return plan
    }

    private static let two = ["10.1.0.1:80", "10.1.0.2:80"]
    private static let three = two + ["10.1.0.3:80"]

    /// What the map holds of the frontend.
    private func record(_ harness: ImageHarness) throws -> FrontendRecord {
        try #require(try harness.store.contents().frontends[Self.key])
    }

    /// For each slot whether it is marked, and the backend id of before.
    private func slots(_ harness: ImageHarness) throws -> [(isMarked: Bool, owner: UInt32)] {
        let contents = try harness.store.contents()
        let previous = try record(harness).fields.previous
        let width = previous.table_width
        let mark = SlotPacking.mark(width: width)
        let ids = SlotPacking.ids(ofSet: contents.slots[previous.setRange], count: Int(previous.set_count))
        let entries = SlotPacking.positions(
            ofTable: contents.slots[previous.tableRange], slots: Int(previous.table_slots), width: width)
        return entries.map { ($0 & mark != 0, ids[Int($0 & ~mark)]) }
    }

    @Test("nothing is kept for a new frontend, for one that does not change, and without DSR")
    func unchanged() throws {
        var harness = ImageHarness()
        try harness.apply(Self.web(Self.two))
        #expect(try !record(harness).isChanging)
        try harness.apply(Self.web(Self.two))
        #expect(try !record(harness).isChanging)
        var other = ImageHarness()
        try other.apply(Self.web(Self.two, isDSR: false))
        try other.apply(Self.web(Self.three, isDSR: false))
        #expect(try !record(other).isChanging)
    }

    @Test("a change keeps the backends of before, and marks exactly the slots that went to others")
    func firstChange() throws {
        var harness = ImageHarness()
        try harness.apply(Self.web(Self.two))
        try harness.apply(Self.web(Self.three))
        let slots = try slots(harness)
        let marked = slots.count { $0.isMarked }
        // A third of the slots goes to the newcomer, and few move among the others.
        #expect(marked * 100 / slots.count >= 30 && marked * 100 / slots.count < 45)
        #expect(Set(slots.map(\.owner)) == [1, 2])
        #expect(try harness.text.contains("VIOLATION") == false)
    }

    @Test("a slot that comes back stays marked: flows of the time between have records")
    func thereAndBack() throws {
        var harness = ImageHarness()
        try harness.apply(Self.web(Self.two))
        try harness.apply(Self.web(Self.three))
        let first = try slots(harness)
        try harness.apply(Self.web(Self.two))
        let second = try slots(harness)
        #expect(first.map(\.isMarked) == second.map(\.isMarked))
        #expect(first.map(\.owner) == second.map(\.owner))
    }

    @Test("when every endpoint goes, and when the table gets another size, every slot is marked")
    func everySlot() throws {
        var harness = ImageHarness()
        try harness.apply(Self.web(Self.two))
        try harness.apply(Self.web([]))
        #expect(try slots(harness).allSatisfy(\.isMarked))
        #expect(try record(harness).fields.external.action == UInt8(DP_ACTION_REJECT.rawValue))
        var growing = ImageHarness()
        try growing.apply(Self.web(Self.two))
        try growing.apply(Self.web((1...9).map { "10.1.0.\($0):80" }))
        #expect(try slots(growing).allSatisfy(\.isMarked))
    }

    @Test("a service that becomes DSR has its flows' records looked for; one that ceases to be keeps its backends")
    func forwarding() throws {
        var harness = ImageHarness()
        try harness.apply(Self.web(Self.two, isDSR: false))
        try harness.apply(Self.web(Self.two))
        let becoming = try record(harness).fields.previous
        #expect(becoming.isForward && becoming.set_count == 0)
        try harness.settle([Self.key])
        try harness.apply(Self.web(Self.two, isDSR: false))
        #expect(try record(harness).isChanging && slots(harness).allSatisfy(\.isMarked))
        #expect(try !record(harness).isDSR)
    }

    @Test("the end gives the space back, and another beginning starts from the present backends")
    func settled() throws {
        var harness = ImageHarness()
        try harness.apply(Self.web(Self.two))
        try harness.reclaim()
        try harness.apply(Self.web(Self.three))
        #expect(harness.image.changing.keys.map { $0 } == [Self.key])
        try harness.settle([Self.key])
        try harness.reclaim()
        #expect(harness.image.changing.isEmpty)
        #expect(try !record(harness).isChanging)
        try harness.apply(Self.web(Self.two))
        #expect(Set(try slots(harness).map(\.owner)) == [1, 2, 3])
        #expect(try harness.text.contains("VIOLATION") == false)
    }

    @Test("a DSR frontend that goes leaves its backends behind for its connections, until they have drained (SVC-10)")
    func left() throws {
        var harness = ImageHarness()
        let left = try #require(Self.key.left)
        try harness.apply(Self.web(Self.two))
        try harness.remove(Self.web(Self.two).name)
        var contents = try harness.store.contents()
        #expect(contents.frontends.keys.map { $0 } == [left])
        #expect(contents.nodePorts.isEmpty)
        let record = try #require(contents.frontends[left])
        #expect(record.isChanging && !record.isDSR && record.serviceID == 0)
        #expect(record.fields.external.action == UInt8(DP_ACTION_REJECT.rawValue))
        // It stays over a restart, and everything that it refers to with it.
        try harness.reclaim()
        try harness.restart()
        try harness.removeUnclaimed()
        try harness.reclaim()
        contents = try harness.store.contents()
        #expect(contents.frontends[left] == record)
        #expect(contents.backends.count { !$0.isFree } == 2)
        #expect(harness.image.changing.keys.map { $0 } == [left])
        try harness.settle([left])
        try harness.reclaim()
        contents = try harness.store.contents()
        #expect(contents.frontends.isEmpty && contents.backends.allSatisfy(\.isFree))
        #expect(harness.image.usage.slotWords == 0)
        #expect(try harness.text.contains("VIOLATION") == false)
    }

    @Test("whoever gets the address of a frontend that has gone has it at once")
    func leftAndTaken() throws {
        var harness = ImageHarness()
        try harness.apply(Self.web(Self.two))
        try harness.remove(Self.web(Self.two).name)
        var other = ServicePortPlan.fixture("test/other", [.nodePort(Self.address)], cluster: Self.three)
        other.isDSR = true
        try harness.apply(other)
        #expect(try harness.store.contents().frontends.keys.map { $0 } == [Self.key])
        #expect(try !record(harness).isChanging)
        // Within one transaction nothing is left either.
        try harness.apply([(other.name, nil), Self.web(Self.two).change])
        #expect(try harness.store.contents().frontends.keys.map { $0 } == [Self.key])
    }

    @Test("nothing is left of a frontend that was not DSR")
    func nothingLeft() throws {
        var harness = ImageHarness()
        try harness.apply(Self.web(Self.two, isDSR: false))
        try harness.remove(Self.web(Self.two).name)
        #expect(try harness.store.contents().frontends.isEmpty)
    }

    @Test("an agent that is started anew goes on where the last one was")
    func restart() throws {
        var harness = ImageHarness()
        try harness.apply(Self.web(Self.two))
        try harness.apply(Self.web(Self.three))
        let before = try slots(harness)
        try harness.restart()
        try harness.apply(Self.web(Self.three))
        #expect(harness.last.frontends.isEmpty)
        try harness.removeUnclaimed()
        try harness.reclaim()
        try harness.apply(Self.web(Self.two))
        let after = try slots(harness)
        #expect(zip(before, after).allSatisfy { $0.owner == $1.owner && (!$0.isMarked || $1.isMarked) })
        #expect(try harness.text.contains("VIOLATION") == false)
    }
}
