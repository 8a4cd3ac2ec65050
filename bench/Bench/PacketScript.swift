// What the benchmarks' prologue is told (bench_packet.h), from a case.

import CBench
import CDatapathABI

extension bench_script {
    /// What the packets of a case are, from its first frame.
    ///
    /// - Parameter hasTuples: addresses and ports are those that the prologue was given.
    init(_ packet: PacketCase, _ frame: [UInt8], hasTuples: Bool) {
        self.init()
        setHeader(frame)
        length = UInt32(frame.count)
        is_ipv6 = packet.isIPv6 ? 1 : 0
        has_tuples = hasTuples ? 1 : 0
        flows = bench_walk(through: packet.flows)
        destinations = bench_walk(through: packet.services)
    }

    private mutating func setHeader(_ frame: [UInt8]) {
        unsafe withUnsafeMutableBytes(of: &header) { bytes in
            for index in bytes.indices { unsafe bytes[index] = frame[index] }
        }
    }
}

extension bench_walk {
    /// The step is a prime near 0.618 of the count, so that neighbours in time are far apart.
    fileprivate init(through count: Int) {
        let step = [617_999, 40_503, 617].first { $0 < count } ?? 0
        self.init(count: UInt32(count), step: UInt32(step), place: 0)
    }
}

extension bench_tuple {
    init(_ key: dp_flow_key) {
        self.init(
            source: key.source.words_be, destination: key.destination.words_be, source_port: key.source_port_be,
            destination_port: key.destination_port_be)
    }
}
