// What the pinned maps hold, read from outside of the agent: whether a frontend is there, and how many sockets and clients
// the hooks remember.

import BPF
import CDatapathABI
import Datapath
import DatapathImage
import NetworkTypes

/// The maps of one pin folder; empty until somebody installs them.
final class ProgrammedMaps {
    private let folder: PinFolder
    private var opened: DatapathMaps?

    init(pinFolder: String) {
        folder = PinFolder(path: pinFolder)
    }

    private func read<Result>(_ body: (borrowing DatapathMaps) throws(BPFError) -> Result) throws -> Result? {
        if opened == nil { opened = try? DatapathMaps.open(folder) }
        guard opened != nil else { return nil }
        return try body(opened!)
    }

    /// Whether there is a TCP frontend.
    func hold(_ address: String, port: UInt16) throws -> Bool {
        guard let address = IPAddress(address) else { return false }
        let key = FrontendKey(AddressAndPort(address: address, port: port), protocol: .tcp)
        return try read { maps throws(BPFError) in try maps.frontends.lookup(key) != nil } ?? false
    }

    /// How many connected sockets are remembered.
    func connections() throws -> Int {
        try read { maps throws(BPFError) in try maps.connections.count() } ?? 0
    }

    /// How many pages there are of unconnected UDP sockets.
    func udpPages() throws -> Int {
        try read { maps throws(BPFError) in try maps.udpPages.count() } ?? 0
    }

    /// How many clients are bound to backends by session affinity.
    func affinityRecords() throws -> Int {
        try read { maps throws(BPFError) in try maps.affinity.count() } ?? 0
    }

    /// When each client's affinity was last renewed, in nanoseconds of CLOCK_MONOTONIC.
    func affinityTimes() throws -> [UInt64] {
        try read { maps throws(BPFError) in try maps.affinity.entries().map(\.value.last_used_ns) } ?? []
    }

    /// Has all clients' affinity renewed at a time to come.
    ///
    /// - Returns: that time, in nanoseconds of CLOCK_MONOTONIC.
    func renewAffinity(in delay: Duration) throws -> UInt64 {
        let time = EventReader.now() + UInt64(delay / .nanoseconds(1))
        _ = try read { maps throws(BPFError) in
            for (key, record) in try maps.affinity.entries() {
                var renewed = record
                renewed.last_used_ns = time
                try maps.affinity.update(key, renewed)
            }
        }
        return time
    }

    /// How often an outcome was counted.
    func count(of outcome: Outcome) throws -> UInt64 {
        try read { maps throws(BPFError) in try maps.count(of: outcome) } ?? 0
    }
}
