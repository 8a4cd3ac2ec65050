// Keeps the kernel from giving the source ports of masqueraded flows to sockets of the node: they are added to
// net.ipv4.ip_local_reserved_ports (which counts for IPv6 as well) of the network namespace that the calling thread is in.
// What was added is remembered in a file, so that cleanup takes away that and nothing else.

package import NetworkTypes
package import SystemCalls

package struct PortReservation: Sendable {
    /// The file with what was added.
    private let record: String
    private let setting: String

    package static let name = "net.ipv4.ip_local_reserved_ports"

    package init(record: String, setting: String = "/proc/sys/net/ipv4/ip_local_reserved_ports") {
        self.record = record
        self.setting = setting
    }

    /// What is reserved now, by whomever.
    package func current() throws(SystemError) -> PortRanges {
        let text = String(decoding: try WholeFile.bytes(of: setting), as: UTF8.self)
        guard let ranges = PortRanges(text) else {
            throw SystemError(operation: "understand", path: setting, errno: 22)
        }
        return ranges
    }

    /// Has these ports reserved, and no longer those that an earlier call has added beside them. Nothing is written when
    /// they are reserved already.
    ///
    /// - Throws: what the kernel or the file system refused; then nothing has changed.
    package func reserve(_ ports: ClosedRange<UInt16>) throws(SystemError) {
        let (wanted, current, added) = (PortRanges([ports]), try current(), try added())
        let missing = wanted.subtracting(current)
        let kept = added.intersection(wanted).union(missing)
        let all = current.subtracting(added.subtracting(wanted)).union(wanted)
        // First the record: what is added and not remembered would stay for ever.
        if !missing.isEmpty { try WholeFile.replace(record, with: "\(added.union(missing))\n") }
        if all != current { try ControlFile.write("\(all)\n", to: setting) }
        if kept != added { try WholeFile.replace(record, with: "\(kept)\n") }
    }

    /// Takes away what was added.
    ///
    /// - Returns: what that was; nil when there was nothing.
    package func release() throws(SystemError) -> PortRanges? {
        let added = try added()
        guard !added.isEmpty else {
            _ = try WholeFile.remove(record)
            return nil
        }
        let current = try current()
        let rest = current.subtracting(added)
        if rest != current { try ControlFile.write("\(rest)\n", to: setting) }
        _ = try WholeFile.remove(record)
        return added
    }

    /// An unreadable record is none.
    private func added() throws(SystemError) -> PortRanges {
        try WholeFile.text(of: record).flatMap { PortRanges($0) } ?? PortRanges()
    }
}

extension PortReservation {
    /// What it means that the ports are not reserved.
    package static let loss =
        "the kernel may give a source port of masqueraded flows to a socket of the node: flows avoid ports that sockets "
        + "have, but a socket that gets a flow's port afterwards, towards the same backend, loses its replies"
}
