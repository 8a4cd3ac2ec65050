// Random conversations: packets of both directions in the order in which they happen.

package import NetworkTypes

/// What a client and a server say to each other.
package struct Conversation: Sendable {
    package var transport: TransportProtocol
    package var client: AddressAndPort
    package var server: AddressAndPort
    /// In order; the source address tells the direction.
    package var packets: [Packet]
}

extension PacketGenerator {
    /// A conversation with a target, or with somebody else.
    package mutating func conversation(_ wanted: AddressFamily? = nil, _ transport: TransportProtocol? = nil)
        -> Conversation
    {
        let family = family(wanted)
        let (client, server) = peers(family)
        let request = Packet.ip(from: client.address, to: server.address, hops: number(2...64))
        var conversation = Conversation(
            transport: transport ?? pick([.tcp, .tcp, .udp, .sctp]), client: client, server: server, packets: [])
        switch conversation.transport {
        case .tcp: conversation.packets = connection(request, client.port, server.port)
        case .udp:
            conversation.packets = (0..<number(1...4)).flatMap { _ in
                [
                    request.udp(from: client.port, to: server.port, payload: payload()),
                    request.swapped.udp(from: server.port, to: client.port, payload: payload()),
                ]
            }
        case .sctp:
            let tag: UInt32 = random()
            conversation.packets = [request.sctp(from: client.port, to: server.port, [.initiation(tag: random())])]
            conversation.packets += (1...number(1...4)).map { sequence in
                request.sctp(from: client.port, to: server.port, tag: tag, [.data(payload(), sequence: sequence)])
            }
        }
        return conversation
    }

    /// Handshake, some data in both directions, and an orderly end or a reset.
    private mutating func connection(_ request: Packet, _ client: UInt16, _ server: UInt16) -> [Packet] {
        var sent: UInt32 = random()
        var received: UInt32 = random()
        func toServer(_ flags: TCPFlags, options: [TCPOption] = [], payload: [UInt8] = []) -> Packet {
            defer { sent &+= UInt32(payload.count) + (flags.isDisjoint(with: [.syn, .fin]) ? 0 : 1) }
            return request.tcp(
                from: client, to: server, flags, sequence: sent, acknowledgment: flags.contains(.ack) ? received : 0,
                options: options, payload: payload)
        }
        func toClient(_ flags: TCPFlags, options: [TCPOption] = [], payload: [UInt8] = []) -> Packet {
            defer { received &+= UInt32(payload.count) + (flags.isDisjoint(with: [.syn, .fin]) ? 0 : 1) }
            return request.swapped.tcp(
                from: server, to: client, flags, sequence: received, acknowledgment: sent, options: options,
                payload: payload)
        }
        var packets = [
            toServer(.syn, options: [.mss(1460), .selectiveAcknowledgmentsPermitted, .windowScale(7)]),
            toClient([.syn, .ack], options: [.mss(1400), .windowScale(9)]), toServer(.ack),
        ]
        for _ in 0..<(number(0...3) as Int) {
            packets.append(toServer([.psh, .ack], payload: payload()))
            packets.append(toClient([.psh, .ack], payload: payload()))
        }
        packets += oneIn(4) ? [toServer(.rst)] : [toServer([.fin, .ack]), toClient([.fin, .ack]), toServer(.ack)]
        return packets
    }
}
