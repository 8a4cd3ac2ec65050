// Reading a datapath while somebody writes it, in the order of an agent: backend, slots, frontend, and much later the end
// of what was there before.

import CDatapathABI
import Datapath
import DatapathImage
import Foundation
import Inspection
import NetworkTypes
import Synchronization
import Testing

@Suite("A snapshot of a datapath that changes", .enabled(if: canUseKernel))
struct SnapshotUnderChangeTests {
    /// How many backends back the oldest is that still exists: a grace period.
    private static let kept: UInt32 = 50

    private final class Stop: Sendable {
        let isSet = Atomic(false)
    }

    @Test("holds every backend that its frontends name, however fast they change", .timeLimit(.minutes(1)))
    func consistent() async throws {
        let installation = try TestInstallation()
        let key = try TestInstallation.key("127.77.3.1:80")
        try installation.addService(2, "web")
        // A set of its own for each backend, the backends themselves to come.
        var records: [FrontendRecord] = []
        for id in UInt32(1)...60 {
            let choice = try installation.forward(to: [id])
            var record = dp_frontend()
            record.service_id = 2
            record.kind = UInt8(DP_FRONTEND_CLUSTER_IP.rawValue)
            (record.`internal`, record.external) = (choice, choice)
            records.append(FrontendRecord(record))
        }
        let datapath = try #require(installation.datapath)
        let backend = BackendRecord(try #require(AddressAndPort("127.0.0.9:80")), protocol: .tcp, weight: 1)
        let (all, stop) = (records, Stop())
        async let writer: Void = Self.write(all, backend, key, datapath, until: stop)
        let complaints = try await Self.complaints(in: installation.folder)
        stop.isSet.store(true, ordering: .relaxed)
        try await writer
        #expect(complaints == [])
    }

    @concurrent
    private static func write(
        _ records: [FrontendRecord], _ backend: BackendRecord, _ key: FrontendKey, _ datapath: Datapath,
        until stop: Stop
    ) async throws {
        var step: UInt32 = 0
        let count = UInt32(records.count)
        while !stop.isSet.load(ordering: .relaxed) {
            let id = step % count + 1
            try datapath.writeBackends([.init(id: id, record: backend)])
            try datapath.updateFrontends([.init(key: key, record: records[Int(id) - 1])])
            try datapath.writeBackends([.init(id: (step + count - kept) % count + 1, record: .free)])
            step += 1
            usleep(1000)
        }
    }

    /// Of many snapshots, one after the other.
    @concurrent
    private static func complaints(in folder: PinFolder) async throws -> Set<String> {
        var complaints: Set<String> = []
        let end = ContinuousClock.now + .seconds(2)
        while ContinuousClock.now < end {
            complaints.formUnion(try DatapathSnapshot(reading: DatapathMaps.open(folder)).complaints)
        }
        return complaints
    }
}
