// A request and its reply, in each family, transport and way in: what most behaviours must hold for.

import Datapath
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

extension Exchange {
    /// Another packet of the client, after the first.
    func later(_ request: Packet, payload: [UInt8] = [1, 2, 3]) -> Packet {
        var packet = request
        packet.tcp?.flags = [.psh, .ack]
        packet.tcp?.options = []
        packet.tcp?.acknowledgment = 78
        packet.tcp?.payload = payload
        packet.udp?.payload = payload
        packet.sctp?.chunks = [.data(payload)]
        return packet
    }

    /// Expects a client's first packet to be sent on, masqueraded, to a backend of another node.
    ///
    /// - Returns: what the backend gets.
    @discardableResult
    func open(
        _ lab: Lab, _ request: Packet, as source: IPAddress? = nil, to backend: IPAddress? = nil,
        at device: String = "eth0", verdict: Verdict? = nil, from place: SourceLocation = #_sourceLocation
    ) throws -> Packet {
        let seen = try lab.receive(request, at: device, by: entrance, from: place)
        let port = try #require(try seen.packet.sourcePort, "\(seen)", sourceLocation: place)
        #expect((61000...65535).contains(port), sourceLocation: place)
        var expected = request.onward()
        expected.sender = AddressAndPort(address: source ?? ground.node, port: port)
        expected.receiver = AddressAndPort(address: backend ?? ground.remotePod, port: Ground.backendPort)
        seen.expect(verdict ?? .sent(self), expected, .sentOn, from: place)
        return expected
    }

    /// Expects the backend's answer to `sent` to be sent to the client as one to `request`.
    func expectReply(
        _ lab: Lab, to sent: Packet, answering request: Packet, at device: String = "eth0", verdict: Verdict? = nil,
        from place: SourceLocation = #_sourceLocation
    ) throws {
        let reply = reply(to: sent)
        let back = try lab.receive(reply, at: device, by: entrance, from: place)
        var restored = reply.onward()
        (restored.sender, restored.receiver) = (request.receiver, request.sender)
        back.expect(verdict ?? .sent(self), restored, .replied, from: place)
    }
}

extension Verdict {
    /// Of a packet that goes out of the device that it came in by.
    static func sent(_ exchange: Exchange) -> Verdict {
        exchange.entrance == .xdp && exchange.transport != .sctp ? .returned : .redirected
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
