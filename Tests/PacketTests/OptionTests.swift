// DSR dispatch by option: what only this way has. What it shares with tunnels is in TunnelTests and ChangingTunnelTests.

import BPF
import CDatapathABI
import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("DSR by option") struct OptionTests {
        static let layout = Lab.Layout.with { $0.packets.dispatch = .option }
        static let returns = DirectReturn.byOption.filter { $0.exchange.entrance == .tc }
        static let tcp = returns.filter { $0.exchange.transport == .tcp }
        static let datagrams = returns.filter { $0.exchange.transport != .tcp }

        /// What the other node makes of a client's later packet on the way to the local pod.
        private static func marked(_ lab: Lab, _ direct: DirectReturn, _ packet: Packet) throws -> Packet {
            try lab.serve(.tcp, endpoints: [.ready(direct.ground.localPod)], .dsr)
            let seen = try lab.receive(packet)
            #expect(seen.outcomes == [.dispatched: 1])
            let marked = try seen.packet
            try lab.startAfresh()
            return marked
        }

        @Test("later packets of a connection go to the backend as they are, and keep its record", arguments: tcp)
        func later(_ direct: DirectReturn) throws {
            try withLab(Self.layout) { lab in
                let request = direct.exchange.request(to: direct.ground.frontend(.loadBalancer))
                let later = try Self.marked(lab, direct, direct.exchange.later(request))
                var last = try Self.marked(lab, direct, direct.exchange.later(request))
                last.tcp?.flags = [.fin, .ack]
                try lab.serve(.tcp, [.local], .dsr)
                try direct.expectArrival(lab, request)
                try lab.receive(later).expect(.passed, later)
                try lab.receive(last).expect(.passed, last)
                let flow = try #require(try lab.datapath.maps.flows.entries().first?.value)
                #expect(flow.packets == 3)
                #expect(flow.flags & DP_FLOW_FINISHED.rawValue != 0, "flags \(flow.flags)")
            }
        }

        @Test(
            "a later packet of a connection that nobody knows is dropped: its backend would answer as itself",
            arguments: tcp)
        func unknown(_ direct: DirectReturn) throws {
            try withLab(Self.layout) { lab in
                let request = direct.exchange.request(to: direct.ground.frontend(.loadBalancer))
                let later = try Self.marked(lab, direct, direct.exchange.later(request))
                try lab.serve(.tcp, [.local], .dsr)
                try lab.receive(later).expect(.dropped, nil, .flowUnknown)
                // Who has dialled the backend itself is not concerned, and neither is who only passes by.
                var own = later
                own.mark = later.mark + 2
                try lab.receive(own).expect(.passed, own)
                own.mark = 0
                try lab.receive(own).expect(.passed, own)
            }
        }

        @Test("a client that lets TCP packets be fragmented has the option on all of them, and a smaller MSS")
        func fragmentable() throws {
            let direct = DirectReturn(
                exchange: Exchange(ground: .ipv4, transport: .tcp, entrance: .tc), dispatch: .option)
            let ground = Ground.ipv4
            var request = direct.exchange.request(to: ground.frontend(.loadBalancer))
            request.ipv4?.dontFragment = false
            let later = direct.exchange.later(request)
            for entrance in Entrance.allCases {
                try withLab(Self.layout) { lab in
                    try lab.serve(.tcp, [.remote], .dsr)
                    try lab.receive(later, by: entrance).expect(
                        entrance == .xdp ? .returned : .redirected,
                        later.onward().addressed(to: ground.remotePod).naming(later.receiver), .dispatched)
                }
            }
            try withLab(Self.layout) { lab in
                try lab.serve(.tcp, [.local], .dsr)
                let arrived = request.addressed(to: ground.localPod)
                try lab.receive(arrived.naming(request.receiver)).expect(
                    .passed, arrived, .optionTaken, .answeredLocally)
                try direct.expectAnswer(lab, to: arrived, answering: request, isClamped: true)
                try lab.receive(later.addressed(to: ground.localPod).naming(later.receiver)).expect(
                    .passed, later.addressed(to: ground.localPod), .optionTaken, .answeredLocally)
            }
        }

        @Test(
            "options that a packet has stay behind ours; without room for ours it goes in a tunnel", arguments: returns)
        func crowded(_ direct: DirectReturn) throws {
            let ground = direct.ground
            var request = direct.exchange.request(to: ground.frontend(.loadBalancer))
            request.ipv4?.options = [148, 4, 0, 0]
            request.ipv6?.extensions = [.destination()]
            var full = request
            full.ipv4?.options = [UInt8](repeating: 1, count: 36)
            full.ipv6?.extensions = [.hopByHop([5, 2, 0, 0, 1, 0])]
            try withLab(Self.layout) { lab in
                try lab.serve(direct.exchange.transport, [.remote], .dsr)
                try direct.expectSent(lab, request)
                try lab.receive(full).expect(.redirected, ground.tunnelled(full.onward()), .tunnelled)
            }
            try withLab(Self.layout) { lab in
                try lab.serve(direct.exchange.transport, [.local], .dsr)
                try direct.expectArrival(lab, request)
            }
        }

        @Test("an option gets nobody what dialling the frontend would not have", arguments: returns)
        func forged(_ direct: DirectReturn) throws {
            try withLab(Self.layout) { lab in
                let (ground, exchange) = (direct.ground, direct.exchange)
                let request = exchange.request(to: ground.frontend(.loadBalancer))
                let arrived = request.addressed(to: ground.localPod)
                func refuses(_ packet: Packet, _ outcome: Outcome, _ place: SourceLocation = #_sourceLocation) throws {
                    try lab.receive(packet).expect(.dropped, nil, outcome, from: place)
                    #expect(try lab.datapath.maps.flows.count() == 0, sourceLocation: place)
                }
                // No service, one that is not DSR, another one's backend, a backend that is not here.
                try refuses(arrived.naming(request.receiver), .optionRefused)
                try lab.serve(exchange.transport, [.local])
                try refuses(arrived.naming(request.receiver), .optionRefused)
                try lab.serve(exchange.transport, [.local], .dsr)
                try refuses(request.addressed(to: ground.otherLocalPod).naming(request.receiver), .optionRefused)
                var otherPort = arrived
                otherPort.receiver = AddressAndPort(address: ground.localPod, port: 22)
                try refuses(otherPort.naming(request.receiver), .optionRefused)
                try lab.serve(exchange.transport, endpoints: [.ready(ground.localPod)], .dsr)
                try refuses(arrived.naming(request.receiver), .optionRefused)
                try lab.serve(exchange.transport, [.local]) {
                    $0.forwarding = .dsr
                    $0.loadBalancerSourceRanges = ["192.0.2.0/24", "2001:db8:77::/64"]
                }
                try refuses(arrived.naming(request.receiver), .sourceRange)
                // What passes by, and what is nearly an option, is not ours.
                try lab.serve(exchange.transport, [.local], .dsr)
                let passing = request.addressed(to: ground.remotePod).naming(request.receiver)
                try lab.receive(passing).expect(.passed, passing)
                var strange = arrived
                strange.ipv4?.options = [0x9e, 7, 0, 80, 1, 2, 3, 1]
                strange.ipv6?.extensions = [.destination([0x1e, 4, 0, 80, 1, 2])]
                try lab.receive(strange).expect(.passed, strange)
            }
        }

        @Test("a node without such services leaves the option alone", arguments: returns)
        func stranger(_ direct: DirectReturn) throws {
            try withLab { lab in
                let request = direct.exchange.request(to: direct.ground.frontend(.loadBalancer))
                let arrived = request.addressed(to: direct.ground.localPod).naming(request.receiver)
                try lab.receive(arrived).expect(.passed, arrived)
            }
        }

        @Test("datagrams of one client port to two frontends of a backend are told apart", arguments: datagrams)
        func twoFrontends(_ direct: DirectReturn) throws {
            try withLab(Self.layout) { lab in
                try lab.serve(direct.exchange.transport, [.local], .dsr)
                let first = direct.exchange.request(to: direct.ground.frontend(.loadBalancer))
                try direct.expectArrival(lab, first)
                let second = direct.exchange.request(to: direct.ground.frontend(.externalIP))
                let seen = try lab.receive(
                    direct.dispatched(second, from: direct.ground.otherNode, to: direct.ground.localPod))
                #expect(seen.outcomes == [.optionTaken: 1, .answeredLocally: 1, .portCollision: 1])
                let sent = try seen.packet
                #expect(sent.sourcePort != first.sourcePort && sent.problems == [])
                try direct.expectAnswer(lab, to: sent, answering: second)
            }
        }

        @Test(
            "a connection from a client port that has one to this backend by another frontend waits until that is over",
            arguments: tcp)
        func takenPort(_ direct: DirectReturn) throws {
            try withLab(Self.layout) { lab in
                let ground = direct.ground
                try lab.serve(.tcp, [.local], .dsr)
                let first = direct.exchange.request(to: ground.frontend(.loadBalancer))
                try direct.expectArrival(lab, first)
                let second = direct.exchange.request(to: ground.frontend(.externalIP))
                try lab.receive(second.addressed(to: ground.localPod).naming(second.receiver))
                    .expect(.dropped, nil, .optionTaken, .portCollision, .portsExhausted)
                var reset = direct.exchange.later(first).addressed(to: ground.localPod)
                reset.tcp?.flags = .rst
                try lab.receive(reset).expect(.passed, reset)
                try direct.expectArrival(lab, second)
            }
        }

        @Test("of a fragmented datagram the first part carries the option", arguments: datagrams.filter(\.isUDP))
        func fragments(_ direct: DirectReturn) throws {
            let ground = direct.ground
            let request = direct.exchange.request(
                to: ground.frontend(.loadBalancer), payload: [UInt8](repeating: 7, count: 600))
            let backend = [Backends.remote: ground.remotePod, .local: ground.localPod]
            let parts = request.fragments(of: 400, identification: 77)
            func sent(to pod: IPAddress) -> [Packet] {
                let parts = request.addressed(to: pod).fragments(of: 400, identification: 77)
                return [parts[0].naming(request.receiver)] + parts[1...]
            }
            try withLab(Self.layout) { lab in
                try lab.serve(.udp, [.remote], .dsr)
                for (part, expected) in zip(parts, sent(to: backend[.remote]!)) {
                    let seen = try lab.receive(part)
                    #expect(seen.outcomes == [.dispatched: 1])
                    #expect(seen.verdict == .redirected)
                    #expect(try diff(expected.onward(), seen.packet) == "")
                }
            }
            try withLab(Self.layout) { lab in
                try lab.serve(.udp, [.local], .dsr)
                let arrived = request.addressed(to: ground.localPod).fragments(of: 400, identification: 77)
                for (part, expected) in zip(sent(to: ground.localPod), arrived) {
                    let seen = try lab.receive(part)
                    #expect(seen.verdict == .passed)
                    #expect(try diff(expected, seen.packet) == "")
                }
            }
        }
    }
}
