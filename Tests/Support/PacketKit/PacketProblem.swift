// What is wrong with a packet that should be right. A good packet has no problems, at no depth.

package struct PacketProblem: Equatable, Sendable, CustomStringConvertible {
    package enum Kind: Equatable, Sendable {
        /// Of an IPv4 header.
        case headerChecksum
        /// Of TCP, UDP, SCTP or ICMP.
        case transportChecksum
        /// The sum of the pseudo-header only, which a device may be about to finish.
        case unfinishedChecksum
        /// A length that contradicts what is there.
        case length
        /// A header or a quoted packet that cannot be read.
        case unreadable
    }

    package var kind: Kind
    /// The field, with the way to it: `icmp.quoted.ipv4.checksum`.
    package var place: String
    package var detail: String

    package var description: String { "\(place): \(detail)" }
}

extension Frame {
    package var problems: [PacketProblem] {
        var problems = packet.problems
        if let etherType = ethernet.etherType {
            problems.append(
                PacketProblem(kind: .unreadable, place: "ethernet.etherType", detail: "\(etherType.hex) with IP"))
        }
        return problems
    }
}

extension Packet {
    /// Padding after the packet is none.
    package var problems: [PacketProblem] {
        var inspection = PacketInspection()
        inspection.visit(self)
        return inspection.problems
    }
}
