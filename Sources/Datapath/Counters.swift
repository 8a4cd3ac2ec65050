// Reading what the programs count: outcomes for the node, connections for each service port. Counters are per CPU and
// only ever grow, those of a service port until its id is given back; whoever wants rates keeps the last reading.

package import BPF
import CDatapathABI

/// What one service port has seen since its id was given out.
package struct ServiceCounters: Hashable, Sendable {
    /// TCP connects, UDP connects, new UDP peers of unconnected sockets, and new flows of packets.
    package var connections: UInt64
    /// Refused or dropped, for whatever reason.
    package var refused: UInt64
    /// Packets of clients that the packet hooks saw, and their bytes from the IP header on.
    package var packets: UInt64
    package var bytes: UInt64

    package init(connections: UInt64 = 0, refused: UInt64 = 0, packets: UInt64 = 0, bytes: UInt64 = 0) {
        self.connections = connections
        self.refused = refused
        self.packets = packets
        self.bytes = bytes
    }
}

extension DatapathMaps {
    /// The counter of one outcome, over all CPUs. One system call.
    package func count(of outcome: Outcome) throws(BPFError) -> UInt64 {
        try outcomes.lookup(outcome.rawValue)?.reduce(0, &+) ?? 0
    }

    /// Every outcome with its counter, in the order of the enumeration.
    package func outcomeCounts() throws(BPFError) -> [(outcome: Outcome, count: UInt64)] {
        var counts: [(outcome: Outcome, count: UInt64)] = []
        for outcome in Outcome.allCases { counts.append((outcome, try count(of: outcome))) }
        return counts
    }

    /// The counters of a service port, over all CPUs; zero for an id beyond the map. One system call.
    package func counters(ofService id: UInt32) throws(BPFError) -> ServiceCounters {
        var sum = ServiceCounters()
        for cpu in try serviceCounters.lookup(id) ?? [] {
            sum.connections &+= cpu.connections
            sum.refused &+= cpu.refused
            sum.packets &+= cpu.packets
            sum.bytes &+= cpu.bytes
        }
        return sum
    }

    /// Sets the counters of ids to zero that no frontend has any more: they will be others'. Two system calls for each.
    func clearCounters(ofServices ids: [UInt32]) throws(BPFError) {
        let zero = dp_service_counters()
        for id in ids where id < serviceCounters.maxEntries {
            guard try counters(ofService: id) != ServiceCounters() else { continue }
            try serviceCounters.update(id, Array(repeating: zero, count: serviceCounters.cpuCount))
        }
    }
}
