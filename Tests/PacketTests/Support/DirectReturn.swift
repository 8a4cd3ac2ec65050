// Exchanges by DSR, in each way of dispatching: what goes to the backend's node, and what comes there.

import Datapath
import NetworkTypes
import PacketKit
import Testing

struct DirectReturn: Hashable, Sendable, CustomTestStringConvertible {
    var exchange: Exchange
    var dispatch: DirectReturnDispatch

    static let all = DirectReturnDispatch.allCases.flatMap { dispatch in
        Exchange.all.map { DirectReturn(exchange: $0, dispatch: dispatch) }
    }
    static let tcp = all.filter { $0.exchange.transport == .tcp }
    static let udp = all.filter { $0.exchange.transport == .udp }
    static let byTC = all.filter { $0.exchange.entrance == .tc }
    static let byOption = all.filter { $0.dispatch == .option }

    var testDescription: String { "\(exchange.testDescription), \(dispatch.rawValue)" }

    var ground: Ground { exchange.ground }
    var isUDP: Bool { exchange.transport == .udp }
    var layout: Lab.Layout { .with { $0.packets.dispatch = dispatch } }
    /// Of packets that are sent to their backend's node.
    var sent: Outcome { dispatch == .ipip ? .tunnelled : .dispatched }
    /// Of packets that come from another node, besides that they are for a backend here.
    var arrived: Outcome { dispatch == .ipip ? .decapsulated : .optionTaken }

    /// What a packet is made longer by.
    func overhead(of packet: Packet) -> Int {
        switch dispatch {
        case .ipip: ground.headerBytes
        case .option: !packet.opensFlow ? 0 : ground.family == .ipv4 ? 8 : 24
        }
    }

    /// As it is between the nodes. Later TCP packets that go by option are marked besides.
    func dispatched(_ packet: Packet, from node: IPAddress? = nil, to backend: IPAddress? = nil) -> Packet {
        guard dispatch == .option else { return ground.tunnelled(packet, from: node, to: backend) }
        let rewritten = packet.addressed(to: backend ?? ground.remotePod)
        return packet.opensFlow ? rewritten.naming(packet.receiver) : rewritten
    }

    /// Expects a client's packet to be sent to the other node.
    func expectSent(
        _ lab: Lab, _ packet: Packet, to backend: IPAddress? = nil, from place: SourceLocation = #_sourceLocation
    ) throws {
        let seen = try lab.receive(packet, by: exchange.entrance, from: place)
        var expected = dispatched(packet.onward(), to: backend)
        if dispatch == .option, !packet.opensFlow {
            let mark = try seen.packet.mark
            #expect(mark != 0, sourceLocation: place)
            expected.mark = mark
        }
        seen.expect(.sent(exchange), expected, sent, from: place)
    }

    /// Expects what another node sends to reach the local backend, and its answer to leave as the frontend's.
    func expectArrival(_ lab: Lab, _ request: Packet, from place: SourceLocation = #_sourceLocation) throws {
        let expected = request.addressed(to: ground.localPod)
        try lab.receive(
            dispatched(request, from: ground.otherNode, to: ground.localPod), by: exchange.entrance, from: place
        ).expect(.passed, expected, arrived, .answeredLocally, from: place)
        try expectAnswer(lab, to: expected, answering: request, from: place)
    }

    /// Expects an answer to `sent` to leave as one to `request`; what a tunnel takes away is gone from the MSS.
    func expectAnswer(
        _ lab: Lab, to sent: Packet, answering request: Packet, isClamped: Bool? = nil,
        from place: SourceLocation = #_sourceLocation
    ) throws {
        let reply = exchange.reply(to: sent)
        var restored = reply
        (restored.sender, restored.receiver) = (request.receiver, request.sender)
        if isClamped ?? (dispatch == .ipip) { restored.tcp?.options = [.mss(ground.clampedMSS)] }
        try lab.send(reply).expect(.passed, restored, .replied, from: place)
    }
}

extension Packet {
    /// Whether it may open a flow: every datagram may.
    var opensFlow: Bool { tcp.map { $0.flags == .syn } ?? true }

    func addressed(to backend: IPAddress) -> Packet {
        var packet = self
        packet.receiver = AddressAndPort(address: backend, port: Ground.backendPort)
        return packet
    }

    /// With DSR's option in front of everything that it has behind the fixed header.
    func naming(_ dialled: AddressAndPort?) -> Packet {
        guard let dialled else { return self }
        var packet = self
        let port = [UInt8(dialled.port >> 8), UInt8(dialled.port & 255)]
        let address = dialled.address.bytes.suffix(dialled.address.family == .ipv4 ? 4 : 16)
        if let options = packet.ipv4?.options { packet.ipv4?.options = [0x9e, 8] + port + address + options }
        packet.ipv6?.extensions.insert(.destination([0x1e, 18] + address + port + [1, 0]), at: 0)
        return packet
    }

    /// What later TCP packets are marked in: the identification, or the flow label.
    var mark: UInt32 {
        get { ipv4.map { UInt32($0.identification) } ?? ipv6?.flowLabel ?? 0 }
        set {
            ipv4?.identification = UInt16(truncatingIfNeeded: newValue)
            ipv6?.flowLabel = newValue
        }
    }
}
