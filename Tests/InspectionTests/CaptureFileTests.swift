// Which packets a capture has in it, and which forms of them.

import CDatapathABI
import Testing

@testable import Datapath
@testable import Inspection

@Suite("A capture file")
struct CaptureFileTests {
    private static func packet(_ stage: dp_capture_stage, seconds: Double) -> CapturedPacket {
        var record = dp_capture()
        record.time_ns = UInt64(seconds * 1e9)
        record.stage = UInt8(stage.rawValue)
        return CapturedPacket(record, [0x45, 0, 0, 20])
    }

    @Test("has second forms of packets that are in it, and waits two seconds for one at most")
    func secondForms() {
        var file = CaptureFile(services: [], snapBytes: 128, limit: .max)
        func takes(_ stage: dp_capture_stage, _ seconds: Double) -> Bool {
            file.bytes(of: Self.packet(stage, seconds: seconds), service: nil, TimeOfDay()) != nil
        }
        #expect(takes(DP_CAPTURE_BEFORE, 10))
        #expect(takes(DP_CAPTURE_AFTER, 10))
        #expect(!takes(DP_CAPTURE_AFTER, 10))
        #expect(takes(DP_CAPTURE_BEFORE, 11))
        #expect(takes(DP_CAPTURE_BEFORE, 12.5))
        #expect(takes(DP_CAPTURE_AFTER, 11))
        #expect(takes(DP_CAPTURE_BEFORE, 20))
        #expect(!takes(DP_CAPTURE_AFTER, 12.5))
        #expect(takes(DP_CAPTURE_BEFORE, 23))
        #expect(!takes(DP_CAPTURE_AFTER, 20))
        #expect(takes(DP_CAPTURE_AFTER, 23))
    }
}
