// A request and its reply, in each family, transport and way in: what most behaviours must hold for.

import NetworkTypes
import PacketKit
import Testing

struct Exchange: Hashable, Sendable, CustomTestStringConvertible {
    var ground: Ground
    var transport: TransportProtocol
    var entrance: Entrance

    /// XDP leaves SCTP to TC.
    static let all = Ground.both.flatMap { ground in
        [TransportProtocol.tcp, .udp, .sctp].flatMap { transport in
            Entrance.allCases.map { Exchange(ground: ground, transport: transport, entrance: $0) }
        }
    }
    static let tcp = all.filter { $0.transport == .tcp }
    static let udp = all.filter { $0.transport == .udp }

    var testDescription: String { "\(transport) over \(ground.testDescription) by \(entrance.rawValue)" }

    /// What is said of a packet that is sent on from the hook.
    var sent: Verdict { entrance == .xdp && transport != .sctp ? .returned : .redirected }

    static let clientPort: UInt16 = 40000

    /// The first packet of a client.
    func request(
        to frontend: AddressAndPort, from client: IPAddress? = nil, port: UInt16 = clientPort, payload: [UInt8] = []
    ) -> Packet {
        let packet = Packet.ip(from: client ?? ground.client, to: frontend.address, trafficClass: 0x28)
        switch transport {
        case .tcp:
            return packet.tcp(
                from: port, to: frontend.port, .syn, sequence: 0x1234_5678, options: [.mss(1460), .windowScale(7)])
        case .udp: return packet.udp(from: port, to: frontend.port, payload: [1, 2, 3, 4, 5] + payload)
        case .sctp: return packet.sctp(from: port, to: frontend.port, tag: 0, [.initiation(tag: 0x1111_2222)])
        }
    }

    /// What a backend answers to what it got.
    func reply(to request: Packet, payload: [UInt8] = []) -> Packet {
        let packet = Packet.ip(from: request.destination, to: request.source, hops: 63)
        let (from, to) = (request.destinationPort ?? 0, request.sourcePort ?? 0)
        switch transport {
        case .tcp:
            return packet.tcp(
                from: from, to: to, [.syn, .ack], sequence: 77, acknowledgment: 0x1234_5679, options: [.mss(1460)])
        case .udp: return packet.udp(from: from, to: to, payload: [9, 8, 7] + payload)
        case .sctp: return packet.sctp(from: from, to: to, tag: 0x1111_2222, [.data([6, 5, 4])])
        }
    }
}

extension Packet {
    /// One hop further.
    func onward() -> Packet {
        var packet = self
        packet.hops -= 1
        return packet
    }
}
