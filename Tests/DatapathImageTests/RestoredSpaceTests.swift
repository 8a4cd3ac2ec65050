// Which records of an earlier run are believed.

import CDatapathABI
import DatapathTestSupport
import NetworkTypes
import Testing

@testable import DatapathImage

@Suite struct RestoredSpaceTests {
    private struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var isTrusted: Bool
        var change: @Sendable (inout dp_frontend) -> Void
    }

    /// A record with a set of 4 in words 0 and 1 and a table of 40 slots in words 2…6 of an arena of 20 words.
    private static var sound: dp_frontend {
        var choice = dp_choice()
        choice.action = UInt8(DP_ACTION_FORWARD.rawValue)
        choice.set_count = 4
        choice.table_word = 2
        choice.table_slots = 40
        choice.table_width = 1
        var record = dp_frontend()
        record.kind = UInt8(DP_FRONTEND_EXTERNAL_IP.rawValue)
        record.internal = choice
        record.external = choice
        return record
    }

    @Test(
        "a record is believed if everything in it makes sense",
        arguments: [
            Case(testDescription: "sound", isTrusted: true) { _ in },
            Case(testDescription: "a set without a table", isTrusted: true) {
                $0.external.table_slots = 0
                $0.external.table_width = 0
            },
            Case(testDescription: "up to the end of the arena", isTrusted: true) {
                $0.external.set_word = 18
            },
            Case(testDescription: "beyond the end of the arena", isTrusted: false) { $0.external.set_word = 19 },
            Case(testDescription: "a width without slots", isTrusted: false) { $0.external.table_slots = 0 },
            Case(testDescription: "slots without a width", isTrusted: false) { $0.external.table_width = 0 },
            Case(testDescription: "three bytes a slot", isTrusted: false) {
                $0.external.table_word = 10
                $0.external.table_slots = 10
                $0.external.table_width = 3
            },
            Case(testDescription: "a set over a part of the table", isTrusted: false) { $0.external.set_word = 6 },
            Case(testDescription: "one range as sets of two sizes", isTrusted: false) { $0.external.set_count = 3 },
            Case(testDescription: "refusing", isTrusted: true) {
                $0.external = dp_choice()
                $0.external.action = UInt8(DP_ACTION_REJECT.rawValue)
            },
            Case(testDescription: "dropping, with a table", isTrusted: false) {
                $0.external.action = UInt8(DP_ACTION_DROP.rawValue)
                $0.external.set_count = 0
            },
            Case(testDescription: "an empty record", isTrusted: false) { $0 = dp_frontend() },
        ])
    private func trust(_ given: Case) {
        var record = Self.sound
        given.change(&record)
        let key = FrontendKey(.fixture("203.0.113.1:80"), protocol: .tcp)
        let contents = MapContents(
            frontends: [key: FrontendRecord(record)], slots: Array(repeating: 0, count: 20))
        let space = RestoredSpace(contents, slotWords: 20)
        #expect(space.trusts(FrontendRecord(record)) == given.isTrusted)
    }

    @Test("ranges inside the arena are occupied, believed or not")
    func occupied() {
        var record = Self.sound
        record.external.set_word = 6
        record.internal.table_word = 19
        let key = FrontendKey(.fixture("203.0.113.1:80"), protocol: .tcp)
        let contents = MapContents(
            frontends: [key: FrontendRecord(record)], slots: Array(repeating: 0, count: 20))
        #expect(RestoredSpace(contents, slotWords: 20).occupied == [0..<8])
    }
}
