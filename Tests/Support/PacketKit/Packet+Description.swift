// A packet in one line, for test output.

extension Packet: CustomStringConvertible {
    package var description: String {
        func name(_ address: some CustomStringConvertible, _ port: UInt16?) -> String {
            port.map { "[\(address)]:\($0)" } ?? "\(address)"
        }
        let way = "\(name(source, sourcePort)) > \(name(destination, destinationPort))"
        let extras = problems.isEmpty ? "" : " (\(problems.map(\.description).joined(separator: "; ")))"
        return "\(way) \(summary), hops \(hops), \(bytes.count) bytes\(extras)"
    }

    private var summary: String {
        switch content {
        case .tcp(let segment): "TCP \(segment.flags)"
        case .udp: "UDP"
        case .sctp(let packet): "SCTP chunks \(packet.chunks.map(\.type))"
        case .icmp(let message): "ICMP \(message.type)/\(message.code)" + (quoted.map { " about {\($0)}" } ?? "")
        case .packet(let inner): "{\(inner)}"
        case .raw(let transport, let bytes): "protocol \(transport) with \(bytes.count) bytes"
        }
    }
}

extension Frame: CustomStringConvertible {
    package var description: String {
        "\(ethernet.source) > \(ethernet.destination)\(ethernet.vlans.map { " vlan \($0.identifier)" }.joined()) \(packet)"
    }
}
