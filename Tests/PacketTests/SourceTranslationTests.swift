// SNAT: a client outside, a backend of another node that sees an address of this node, and the reply back through here.

import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("SNAT to a backend of another node") struct SourceTranslationTests {
        @Test(
            "a request leaves with this node's address, and the reply is the client's again (MASQ-4)",
            arguments: Exchange.all, [FrontendPlan.Kind.nodePort, .externalIP, .loadBalancer, .clusterIP])
        func roundTrip(_ exchange: Exchange, _ kind: FrontendPlan.Kind) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(kind))
                let sent = try exchange.open(lab, request)
                try exchange.expectReply(lab, to: sent, answering: request)
            }
        }

        @Test("frames go to the next hop's link address, out of the device that leads there", arguments: Ground.both)
        func links(_ ground: Ground) throws {
            try withLab { lab in
                let exchange = Exchange(ground: ground, transport: .tcp, entrance: .xdp)
                try lab.serve(.tcp, [.remote])
                let near = try lab.receive(exchange.request(to: ground.frontend(.nodePort)), by: .xdp)
                #expect(try near.frame.ethernet == Ethernet(from: Link.eth0, to: Link.otherNode))
                let reply = try lab.receive(exchange.reply(to: try near.packet), by: .xdp)
                #expect(try reply.frame.ethernet == Ethernet(from: Link.eth0, to: Link.gateway))
                try lab.serve(.tcp, [.far])
                let far = try lab.receive(exchange.request(to: ground.frontend(.nodePort), port: 40001), by: .xdp)
                #expect(far.verdict == .redirected)
                #expect(try far.frame.ethernet == Ethernet(from: Link.eth1, to: Link.farNode))
            }
        }

        @Test("the source is an address of the device that leads out (MASQ-10)", arguments: Exchange.all)
        func wayOut(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.far])
                let request = exchange.request(to: exchange.ground.frontend(.loadBalancer))
                let sent = try exchange.open(
                    lab, request, as: exchange.ground.nodeAtFarSide, to: exchange.ground.farPod, verdict: .redirected)
                try exchange.expectReply(lab, to: sent, answering: request, at: "eth1", verdict: .redirected)
            }
        }

        @Test("a later packet of a flow takes the same way", arguments: Exchange.all)
        func stability(_ exchange: Exchange) throws {
            try withLab { lab in
                let ground = exchange.ground
                try lab.serve(
                    exchange.transport, endpoints: [.ready(ground.remotePod), .ready(ground.otherRemotePod)])
                for port in UInt16(50000)..<50020 {
                    let request = exchange.request(to: ground.frontend(.loadBalancer), port: port)
                    let first = try lab.receive(request, by: exchange.entrance)
                    let later = exchange.later(request, payload: [1])
                    for _ in 0..<3 {
                        let next = try lab.receive(later, by: exchange.entrance)
                        #expect(try next.packet.receiver == first.packet.receiver)
                        #expect(try next.packet.sender == first.packet.sender)
                    }
                }
            }
        }

        @Test("UDP without a checksum stays without one", arguments: Entrance.allCases)
        func absentChecksum(_ entrance: Entrance) throws {
            try withLab { lab in
                let exchange = Exchange(ground: .ipv4, transport: .udp, entrance: entrance)
                try lab.serve(.udp, [.remote])
                var request = exchange.request(to: Ground.ipv4.frontend(.nodePort))
                request.udp?.checksum = .absent
                let sent = try exchange.open(lab, request)
                var reply = exchange.reply(to: sent)
                reply.udp?.checksum = .absent
                let back = try lab.receive(reply, by: entrance)
                #expect(try back.packet.udp?.checksum == .absent)
            }
        }

        @Test("UDP checksums that come to zero are written as ones", arguments: Exchange.udp)
        func zeroChecksum(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(.udp, [.remote])
                // The source port is random: of 70,000 payloads one sums up to zero, so go through replies instead, whose
                // translation is known.
                let request = exchange.request(to: exchange.ground.frontend(.nodePort))
                var reply = exchange.reply(to: try exchange.open(lab, request))
                var restored = reply
                (restored.sender, restored.receiver) = (request.receiver, request.sender)
                restored.udp?.payload = [0, 0]
                let sum = restored.bytes.suffix(4).prefix(2).reduce(0) { $0 << 8 | UInt16($1) }
                reply.udp?.payload = [UInt8(sum >> 8), UInt8(sum & 255)]
                restored.udp?.payload = reply.udp?.payload ?? []
                #expect(restored.bytes.suffix(4).prefix(2) == [0xff, 0xff])
                let back = try lab.receive(reply, by: exchange.entrance)
                back.expect(.sent(exchange), restored.onward(), .replied)
            }
        }

        @Test("one client port reaches one backend through two frontends", arguments: Exchange.all)
        func twoFrontends(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                let requests = [FrontendPlan.Kind.externalIP, .loadBalancer, .nodePort].map {
                    exchange.request(to: exchange.ground.frontend($0))
                }
                let sent = try requests.map { try exchange.open(lab, $0) }
                #expect(Set(sent.map(\.sourcePort)).count == 3)
                for (request, sent) in zip(requests, sent) {
                    try exchange.expectReply(lab, to: sent, answering: request)
                }
            }
        }

        @Test("every client port gets through", arguments: Exchange.all.filter { $0.transport != .sctp })
        func everyPort(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(
                    exchange.transport,
                    endpoints: [.ready(exchange.ground.remotePod), .ready(exchange.ground.otherRemotePod)])
                let request = exchange.request(to: exchange.ground.frontend(.loadBalancer))
                for port in stride(from: UInt16(1), to: 65000, by: 97) {
                    var packet = request
                    packet.sourcePort = port
                    let seen = try lab.receive(packet, by: exchange.entrance)
                    #expect(seen.outcomes[.sentOn] == 1 && seen.verdict != .dropped, "port \(port): \(seen)")
                }
            }
        }

        @Test("a packet that may not travel any further is dropped", arguments: Exchange.all)
        func hops(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                var request = exchange.request(to: exchange.ground.frontend(.nodePort))
                request.hops = 1
                let seen = try lab.receive(request, by: exchange.entrance)
                #expect(seen.verdict == .dropped)
                #expect(seen.outcomes[.hopsExceeded] == 1)
                request.hops = 2
                let sent = try exchange.open(lab, request)
                #expect(sent.hops == 1)
                var reply = exchange.reply(to: sent)
                reply.hops = 1
                let back = try lab.receive(reply, by: exchange.entrance)
                #expect(back.verdict == .dropped, "\(back)")
            }
        }

        @Test(
            "what does not fit the way to the backend is answered with the size that would", arguments: Exchange.all,
            [0, 1, 4, 5, 100])
        func tooBig(_ exchange: Exchange, _ excess: Int) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.far])
                let first = exchange.request(to: exchange.ground.frontend(.nodePort))
                let size = 1400 + excess
                let empty = exchange.later(first, payload: []).bytes.count
                // Chunks of SCTP are padded.
                let payload = [UInt8](repeating: 5, count: size - empty)
                let large = exchange.later(first, payload: payload)
                try #require(exchange.transport == .sctp || large.bytes.count == size)
                let sent = try lab.receive(large, by: exchange.entrance)
                guard large.bytes.count > 1400 else {
                    #expect(sent.outcomes[.sentOn] == 1 && sent.verdict == .redirected, "\(sent)")
                    return
                }
                #expect(sent.outcomes[.tooBig] == 1 && sent.verdict == .redirected, "\(sent)")
                #expect(try diff(Exchange.tooBig(1400, answering: large), sent.packet) == "")
            }
        }

        @Test("without a route to the backend packets are dropped, and counted", arguments: Exchange.all)
        func noRoute(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.lost])
                let request = exchange.request(to: exchange.ground.frontend(.nodePort))
                let seen = try lab.receive(request, by: exchange.entrance)
                seen.expect(.dropped, nil, .noRoute)
            }
        }

        @Test("with ClientIP affinity an address keeps its backend, whatever its port (AFF-1)", arguments: Exchange.all)
        func affinity(_ exchange: Exchange) throws {
            try withLab { lab in
                let ground = exchange.ground
                try lab.serve(
                    exchange.transport, endpoints: [.ready(ground.remotePod), .ready(ground.otherRemotePod)]
                ) { $0.sessionAffinitySeconds = 100 }
                func backends(of client: IPAddress) throws -> Set<IPAddress> {
                    try Set(
                        (UInt16(50000)..<50016).map { port in
                            let kind: FrontendPlan.Kind = port % 2 == 0 ? .nodePort : .externalIP
                            let request = exchange.request(to: ground.frontend(kind), from: client, port: port)
                            return try lab.receive(request, by: exchange.entrance).packet.destination
                        })
                }
                #expect(try backends(of: ground.client).count == 1)
                #expect(try backends(of: ground.otherClient).count == 1)
            }
        }

        @Test("without affinity all backends are used (BAL-1)", arguments: Exchange.all)
        func spreading(_ exchange: Exchange) throws {
            try withLab { lab in
                let ground = exchange.ground
                try lab.serve(
                    exchange.transport, endpoints: [.ready(ground.remotePod), .ready(ground.otherRemotePod)])
                let backends = try (UInt16(50000)..<50032).map { port in
                    try lab.receive(
                        exchange.request(to: ground.frontend(.nodePort), port: port), by: exchange.entrance
                    ).packet.destination
                }
                #expect(Set(backends).count == 2)
            }
        }
    }
}
