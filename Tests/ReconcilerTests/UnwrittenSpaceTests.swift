// Which frontends have to wait for space that could not be written, and which do not.

import CDatapathABI
import DatapathImage
import DatapathTestSupport
import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@testable import Reconciler

@Suite struct UnwrittenSpaceTests {
    private static func update(set: UInt32, of count: UInt32, table: UInt32 = 0, slots: UInt32 = 0)
        -> Transaction.FrontendUpdate
    {
        var record = dp_frontend()
        record.external.set_word = set
        record.external.set_count = count
        record.external.table_word = table
        record.external.table_slots = slots
        record.external.table_width = slots > 0 ? 1 : 0
        return .init(key: FrontendKey(.fixture("10.96.0.1:80"), protocol: .tcp), record: FrontendRecord(record))
    }

    private struct Case: Sendable {
        var update: Transaction.FrontendUpdate
        var isBlocked: Bool
    }

    /// Words 10…13 and 20…21 could not be written.
    @Test(
        "a frontend waits exactly if one of its ranges is among the words",
        arguments: [
            Case(update: update(set: 8, of: 4), isBlocked: false),
            Case(update: update(set: 8, of: 5), isBlocked: true),
            Case(update: update(set: 13, of: 1), isBlocked: true),
            Case(update: update(set: 14, of: 12), isBlocked: false),
            Case(update: update(set: 14, of: 13), isBlocked: true),
            Case(update: update(set: 22, of: 100), isBlocked: false),
            Case(update: update(set: 0, of: 2, table: 1, slots: 72), isBlocked: false),
            Case(update: update(set: 0, of: 2, table: 1, slots: 73), isBlocked: true),
            Case(update: update(set: 10, of: 0), isBlocked: false),
        ])
    private func words(_ given: Case) {
        var slots = SlotWrites()
        slots.append([1, 2], at: 20)
        slots.append([1, 2, 3], at: 11)
        slots.append([1, 2], at: 10)
        let space = UnwrittenSpace(slots: slots, backends: [])
        #expect(space.blocks(given.update, in: DatapathImage()) == given.isBlocked)
    }

    @Test("a frontend waits exactly if one of its backends could not be written")
    func backends() {
        var image = DatapathImage()
        let plans = (1...2).map {
            ServicePortPlan.fixture("a/s\($0)", [.nodePort("192.0.2.\($0):30080")], cluster: ["10.1.0.\($0):80"])
        }
        let transaction = image.apply(plans.map(\.change))
        let space = UnwrittenSpace(slots: SlotWrites(), backends: [transaction.backends[1]])
        #expect(transaction.frontends.map { space.blocks($0, in: image) } == [false, true])
    }
}
