// Devices without a link header. BPF_PROG_TEST_RUN puts one in front of every packet, so these packets are real: they
// come in by a tun device that this process holds the other end of, and leave by it, or by another one to a pod.

import Datapath
import HostCalls
import KernelTestSupport
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("Devices without a link header") struct BareDeviceTests {
        static let exchanges = Exchange.all.filter { $0.entrance == .tc && $0.transport != .sctp }

        private static func layout(_ dispatch: DirectReturnDispatch) -> Lab.Layout {
            .with {
                $0.packets.dispatch = dispatch
                $0.packets.devices = .patterns(["eth?", "tun0"])
                $0.hasTuns = true
            }
        }

        @Test("SNAT goes out and comes back", arguments: exchanges)
        func translation(_ exchange: Exchange) throws {
            try withLab(Self.layout(.ipip)) { lab in
                let tuns = try #require(lab.tuns)
                let place = TunPlace(exchange.ground)
                try lab.serve(exchange.transport, endpoints: [.ready(place.remotePod)])
                let request = exchange.request(to: exchange.ground.frontend(.loadBalancer), from: place.client)
                let sent = try tuns.outside.exchange(request)
                var expected = request.onward().addressed(to: place.remotePod)
                expected.sender = AddressAndPort(address: place.node, port: try #require(sent.sourcePort))
                #expect(diff(expected, sent) == "" && sent.problems == [])
                let reply = exchange.reply(to: sent)
                var restored = reply.onward()
                (restored.sender, restored.receiver) = (request.receiver, request.sender)
                let back = try tuns.outside.exchange(reply)
                #expect(diff(restored, back) == "" && back.problems == [])
            }
        }

        @Test("a service without backends refuses", arguments: exchanges)
        func refusal(_ exchange: Exchange) throws {
            try withLab(Self.layout(.ipip)) { lab in
                let tuns = try #require(lab.tuns)
                try lab.serve(exchange.transport, endpoints: [])
                let place = TunPlace(exchange.ground)
                let request = exchange.request(to: exchange.ground.frontend(.loadBalancer), from: place.client)
                try tuns.outside.write(request)
                let answer = try tuns.outside.next { $0.destination == place.client }
                #expect(answer.problems == [] && answer.source == request.destination)
                switch (exchange.transport, answer.content) {
                case (.tcp, .tcp(let segment)): #expect(segment.flags.contains(.rst))
                case (.udp, .icmp(let message)):
                    #expect(message.code == (exchange.ground.family == .ipv4 ? 3 : 4))
                    guard case .error(_, let about) = message.body else { throw SupportError("no error") }
                    #expect(diff(request, about) == "")
                default: Issue.record("\(answer)")
                }
            }
        }

        @Test("DSR goes out", arguments: exchanges, DirectReturnDispatch.allCases)
        func directOut(_ exchange: Exchange, _ dispatch: DirectReturnDispatch) throws {
            try withLab(Self.layout(dispatch)) { lab in
                let tuns = try #require(lab.tuns)
                let place = TunPlace(exchange.ground)
                try lab.serve(exchange.transport, endpoints: [.ready(place.remotePod)], .dsr)
                let direct = DirectReturn(exchange: exchange, dispatch: dispatch)
                let request = exchange.request(to: exchange.ground.frontend(.loadBalancer), from: place.client)
                for packet in [request, exchange.later(request)] {
                    let sent = try tuns.outside.exchange(packet)
                    var expected = direct.dispatched(packet.onward(), from: place.node, to: place.remotePod)
                    if dispatch == .option, !packet.opensFlow { expected.mark = sent.mark }
                    #expect(diff(expected, sent) == "" && sent.problems == [])
                }
            }
        }

        @Test(
            "DSR comes in, and the answer leaves as the frontend's", arguments: exchanges,
            DirectReturnDispatch.allCases)
        func directIn(_ exchange: Exchange, _ dispatch: DirectReturnDispatch) throws {
            try withLab(Self.layout(dispatch)) { lab in
                let tuns = try #require(lab.tuns)
                let place = TunPlace(exchange.ground)
                try lab.serve(exchange.transport, endpoints: [.ready(place.localPod, isLocal: true)], .dsr)
                let direct = DirectReturn(exchange: exchange, dispatch: dispatch)
                let request = exchange.request(to: exchange.ground.frontend(.loadBalancer), from: place.client)
                try tuns.outside.write(direct.dispatched(request, from: place.otherNode, to: place.localPod))
                let arrived = try tuns.pod.next()
                #expect(diff(request.onward().addressed(to: place.localPod), arrived) == "" && arrived.problems == [])
                let reply = exchange.reply(to: arrived)
                try tuns.pod.write(reply)
                var restored = reply.onward()
                (restored.sender, restored.receiver) = (request.receiver, request.sender)
                if dispatch == .ipip { restored.tcp?.options = [.mss(exchange.ground.clampedMSS)] }
                let back = try tuns.outside.next()
                #expect(diff(restored, back) == "" && back.problems == [])
            }
        }
    }
}

extension TunDevice {
    func write(_ packet: Packet) throws { try write(packet.bytes) }

    /// The next packet that carries a transport; what the kernel says for itself (ICMPv6, IGMP) is not asked for.
    func next() throws -> Packet {
        try next { packet in
            switch packet.content {
            case .tcp, .udp, .sctp, .packet: true
            case .icmp, .raw: false
            }
        }
    }

    /// The next packet that is as it should be.
    func next(where isWanted: (Packet) -> Bool) throws -> Packet {
        while let bytes = try read(milliseconds: 2000) {
            if let packet = try? Packet(parsing: bytes), isWanted(packet) { return packet }
        }
        throw SupportError("no packet leaves by the device")
    }

    /// What leaves for what comes in.
    func exchange(_ packet: Packet) throws -> Packet {
        try write(packet)
        return try next()
    }
}
