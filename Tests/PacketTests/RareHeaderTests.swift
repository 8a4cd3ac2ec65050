// Packets with headers out of the ordinary: IP options, IPv6 extension headers, fragments. XDP leaves them to TC.

import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("Rare headers") struct RareHeaderTests {
        static let exchanges = Exchange.all
        static let whole = exchanges.filter { $0.transport != .sctp }

        @Test("options and extension headers stay as they are", arguments: exchanges)
        func options(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(.nodePort)).withOptions
                let sent = try exchange.open(lab, request, verdict: .redirected)
                let reply = exchange.reply(to: sent).withOptions
                var restored = reply.onward()
                (restored.sender, restored.receiver) = (request.receiver, request.sender)
                try lab.receive(reply, by: exchange.entrance).expect(.redirected, restored, .replied)
            }
        }

        @Test("refusals of packets with IPv4 options quote them", arguments: Exchange.all.filter { $0.ground == .ipv4 })
        func refusedOptions(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [])
                let request = exchange.request(to: Ground.ipv4.frontend(.nodePort)).withOptions
                let seen = try lab.receive(request, by: exchange.entrance)
                #expect(seen.verdict == .redirected)
                #expect(try seen.packet.problems == [], "\(seen)")
                guard exchange.transport != .tcp else { return }
                seen.expect(.redirected, Exchange.unreachable(answering: request), .noEndpoints)
            }
        }

        @Test("fragments of a request follow the first one, and those of a reply (BAL-4)", arguments: whole)
        func fragments(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                let payload = (0..<100).map { UInt8($0) }
                let request = exchange.later(
                    exchange.request(to: exchange.ground.frontend(.nodePort)), payload: payload)
                let parts = request.fragments(of: 48, identification: 0xbeef)
                let first = try lab.receive(parts[0], by: exchange.entrance)
                var sent = request
                sent.sender = try first.packet.sender
                sent.receiver = AddressAndPort(address: exchange.ground.remotePod, port: Ground.backendPort)
                #expect(sent.source == exchange.ground.node)
                let expected = sent.onward().fragments(of: 48, identification: 0xbeef)
                first.expect(.redirected, expected[0], .sentOn)
                for index in [2, 1] {
                    try lab.receive(parts[index], by: exchange.entrance)
                        .expect(.redirected, expected[index], .sentOn)
                }
                let reply = exchange.reply(to: sent, payload: payload)
                guard exchange.transport == .udp else { return }
                var restored = reply.onward()
                (restored.sender, restored.receiver) = (request.receiver, request.sender)
                let replies = reply.fragments(of: 40, identification: 0xabcd)
                for (part, expected) in zip(replies, restored.fragments(of: 40, identification: 0xabcd)) {
                    try lab.receive(part, by: exchange.entrance).expect(.redirected, expected, .replied)
                }
            }
        }

        @Test("fragments of a local backend's reply are translated where they leave", arguments: Exchange.udp)
        func leavingFragments(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(.udp, [.local]) { $0.externalTrafficPolicy = .local }
                let request = exchange.request(to: exchange.ground.frontend(.nodePort))
                try exchange.openLocally(lab, request)
                var sent = request
                sent.receiver = AddressAndPort(address: exchange.ground.localPod, port: Ground.backendPort)
                let reply = exchange.reply(to: sent, payload: (0..<100).map { UInt8($0) })
                var restored = reply
                (restored.sender, restored.receiver) = (request.receiver, request.sender)
                let parts = reply.fragments(of: 40, identification: 0xfeed)
                for (part, expected) in zip(parts, restored.fragments(of: 40, identification: 0xfeed)) {
                    try lab.send(part).expect(.passed, expected, .replied)
                }
            }
        }

        @Test("fragments go through a tunnel, each of them", arguments: Exchange.udp)
        func tunnelledFragments(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(.udp, [.remote], .dsr)
                let request = exchange.request(
                    to: exchange.ground.frontend(.loadBalancer), payload: (0..<100).map { UInt8($0) })
                for part in request.fragments(of: 48, identification: 0x5555) {
                    try lab.receive(part, by: exchange.entrance)
                        .expect(.redirected, exchange.ground.tunnelled(part.onward()), .tunnelled)
                }
            }
        }

        @Test("a later fragment whose first was not seen is dropped at a ClusterIP, else left alone", arguments: whole)
        func lostFragments(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                for (kind, number) in [(FrontendPlan.Kind.clusterIP, UInt32(0x7001)), (.nodePort, 0x7002)] {
                    let request = exchange.later(
                        exchange.request(to: exchange.ground.frontend(kind)),
                        payload: [UInt8](repeating: 9, count: 100))
                    let part = request.fragments(of: 48, identification: number)[1]
                    let seen = try lab.receive(part, by: exchange.entrance)
                    if kind == .clusterIP {
                        seen.expect(.dropped, nil, .fragmentUnknown)
                    } else {
                        seen.expect(.passed, part)
                    }
                }
            }
        }

        @Test("a fragment of SCTP whose ports change cannot be corrected, and is dropped", arguments: Ground.both)
        func sctpFragments(_ ground: Ground) throws {
            try withLab { lab in
                let exchange = Exchange(ground: ground, transport: .sctp, entrance: .tc)
                try lab.serve(.sctp, [.remote])
                let request = exchange.later(
                    exchange.request(to: ground.frontend(.nodePort)), payload: [UInt8](repeating: 9, count: 100))
                let part = request.fragments(of: 48, identification: 0x6001)[0]
                let seen = try lab.receive(part)
                #expect(seen.verdict == .dropped)
                #expect(seen.outcomes[.unsupported] == 1)
            }
        }

        @Test("a frame's padding is not the packet's", arguments: Exchange.all)
        func padding(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                var request = exchange.request(to: exchange.ground.frontend(.nodePort))
                request.trailer = [0, 0, 0xde, 0xad]
                try exchange.open(lab, request)
                try lab.serve(exchange.transport, [])
                var other = exchange.request(to: exchange.ground.frontend(.nodePort), port: 40001)
                let expected =
                    exchange.transport == .tcp
                    ? Exchange.reset(answering: other, [.rst, .ack], acknowledgment: 0x1234_5679)
                    : Exchange.unreachable(answering: other)
                other.trailer = [1, 2, 3]
                try lab.receive(other, by: exchange.entrance).expect(.redirected, expected, .noEndpoints)
            }
        }
    }
}
