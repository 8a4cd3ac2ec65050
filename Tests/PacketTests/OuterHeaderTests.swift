// The outer header of DSR tunnels: whose address is on it, and what becomes of errors about it.

import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("Outer headers of DSR") struct OuterHeaderTests {
        static let ranges = PerFamily { CIDR($0 == .ipv4 ? "172.16.0.0/12" : "fd00:5::/64") }
        static let spread = Lab.Layout.with { $0.packets.tunnelSources = ranges }
        static let exchanges = Exchange.all.filter { $0.entrance == .tc }

        @Test("outer sources are spread over the range by flow, alike in each hook", arguments: Ground.both)
        func sources(_ ground: Ground) throws {
            try withLab(Self.spread) { lab in
                let range = try #require(Self.ranges[ground.family])
                try lab.serve(.tcp, [.remote], .dsr)
                var sources: Set<IPAddress> = []
                for port in UInt16(50000)..<50064 {
                    let seen = try Entrance.allCases.flatMap { entrance in
                        let exchange = Exchange(ground: ground, transport: .tcp, entrance: entrance)
                        let request = exchange.request(to: ground.frontend(.loadBalancer), port: port)
                        return try [request, exchange.later(request)].map { packet in
                            let seen = try lab.receive(packet, by: entrance)
                            let source = try seen.packet.source
                            seen.expect(
                                .sent(exchange), ground.tunnelled(packet.onward(), from: source), .tunnelled)
                            return source
                        }
                    }
                    #expect(Set(seen).count == 1 && range.contains(seen[0]), "\(seen)")
                    sources.formUnion(seen)
                }
                #expect(sources.count > 60, "\(sources.count) sources of 64 flows")
            }
        }

        @Test("a tunnel from any source is opened on the backend's node", arguments: exchanges)
        func arrival(_ exchange: Exchange) throws {
            try withLab(Self.spread) { lab in
                try lab.serve(exchange.transport, [.local], .dsr)
                let request = exchange.request(to: exchange.ground.frontend(.loadBalancer))
                let source = IPAddress(exchange.ground.family == .ipv4 ? "172.19.1.2" : "fd00:5::1234:5678")
                let tunnel = exchange.ground.tunnelled(request, from: source, to: exchange.ground.localPod)
                try lab.receive(tunnel).expect(
                    .passed, request.addressed(to: exchange.ground.localPod), .decapsulated, .answeredLocally)
            }
        }

        /// What a router says about a tunnel to `destination`, and what the client is to hear.
        struct Saying: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let told: @Sendable (_ outer: Packet, _ tunnel: Packet, QuoteLimit) -> Packet
            let heard: @Sendable (_ outer: Packet, _ packet: Packet, QuoteLimit, Ground) -> Packet

            static func tooBig(_ mtu: UInt32, _ rest: [AddressFamily: UInt32]) -> Saying {
                Saying(testDescription: "a packet of \(mtu) bytes would fit") { outer, tunnel, limit in
                    outer.tooBig(mtu: mtu, about: tunnel, quoting: limit)
                } heard: { outer, packet, limit, ground in
                    outer.tooBig(mtu: rest[ground.family] ?? 0, about: packet, quoting: limit)
                }
            }

            static let unreachable: @Sendable (Packet, Packet, QuoteLimit, Ground) -> Packet = {
                $0.unreachable(code: $3.family == .ipv4 ? 1 : 3, about: $1, quoting: $2)
            }

            static let all = [
                tooBig(1400, [.ipv4: 1380, .ipv6: 1360]), tooBig(1300, [.ipv4: 1280, .ipv6: 1280]),
                tooBig(70, [.ipv4: 68, .ipv6: 1280]), tooBig(0, [.ipv4: 0, .ipv6: 1280]),
                Saying(
                    testDescription: "the backend's node is not there",
                    told: { $0.unreachable(code: 0, about: $1, quoting: $2) }, heard: unreachable),
                Saying(
                    testDescription: "it has travelled too far",
                    told: { $0.timeExceeded(about: $1, quoting: $2) }, heard: unreachable),
            ]
        }

        @Test(
            "the client hears what a router says about its tunnel (RFC 2003, RFC 2473)", arguments: exchanges,
            Saying.all)
        func errors(_ exchange: Exchange, _ saying: Saying) throws {
            try withLab { lab in
                let ground = exchange.ground
                try lab.serve(exchange.transport, [.remote], .dsr)
                let request = exchange.request(to: ground.frontend(.loadBalancer))
                let inner = exchange.later(request, payload: [UInt8](repeating: 9, count: 301)).onward()
                let header = ground.headerBytes
                // Everything, as much as routers quote, and just the ports.
                for limit in [inner.bytes.count, 231, header + 8] {
                    let error = saying.told(
                        .ip(from: ground.router, to: ground.node, hops: 60, trafficClass: 0xc0),
                        ground.tunnelled(inner), .bytes(header + limit))
                    let expected = saying.heard(
                        .ip(from: ground.loadBalancerIP, to: ground.client, hops: 64, trafficClass: 0xc0), inner,
                        .bytes(limit), ground)
                    let seen = try lab.receive(error, by: .xdp)
                    seen.expect(.redirected, expected, .errorTranslated)
                }
            }
        }

        @Test("of an error that quotes less the client cannot be told, which is counted", arguments: exchanges)
        func short(_ exchange: Exchange) throws {
            try withLab { lab in
                let ground = exchange.ground
                try lab.serve(exchange.transport, [.remote], .dsr)
                let tunnel = ground.tunnelled(exchange.request(to: ground.frontend(.loadBalancer)).onward())
                for quoted in [8, ground.headerBytes, ground.headerBytes + 7] {
                    let error = Packet.ip(from: ground.router, to: ground.node)
                        .tooBig(mtu: 1400, about: tunnel, quoting: .bytes(ground.headerBytes + quoted))
                    try lab.receive(error).expect(.passed, error, .tunnelErrorShort)
                }
            }
        }

        @Test("an error to an address of the range of outer sources is ours", arguments: exchanges)
        func ranged(_ exchange: Exchange) throws {
            try withLab(Self.spread) { lab in
                let ground = exchange.ground
                try lab.serve(exchange.transport, [.remote], .dsr)
                let inner = exchange.request(to: ground.frontend(.externalIP)).onward()
                let tunnel = try lab.receive(exchange.request(to: ground.frontend(.externalIP))).packet
                let error = Packet.ip(from: ground.router, to: tunnel.source).tooBig(mtu: 1400, about: tunnel)
                let expected = Packet.ip(from: ground.externalIP, to: ground.client, hops: 64)
                    .tooBig(mtu: UInt32(1400 - ground.headerBytes), about: inner)
                try lab.receive(error).expect(.redirected, expected, .errorTranslated)
            }
        }

        @Test("errors about others' tunnels are left alone", arguments: exchanges)
        func others(_ exchange: Exchange) throws {
            try withLab { lab in
                let ground = exchange.ground
                try lab.serve(exchange.transport, [.remote], .dsr)
                let request = exchange.request(to: ground.frontend(.loadBalancer))
                var elsewhere = request
                elsewhere.receiver = AddressAndPort(address: ground.remotePod, port: 80)
                let strangers = [
                    // Of a packet to nobody that we serve.
                    (ground.tunnelled(elsewhere), ground.node),
                    // To another node's address, and about another node's tunnel.
                    (ground.tunnelled(request, from: ground.otherNode), ground.otherNode),
                    (ground.tunnelled(request, from: ground.otherNode), ground.node),
                ]
                for (tunnel, destination) in strangers {
                    let error = Packet.ip(from: ground.router, to: destination).tooBig(mtu: 1400, about: tunnel)
                    try lab.receive(error).expect(.passed, error)
                }
                try lab.serve(exchange.transport, [.remote])
                try lab.startAfresh()
                try lab.serve(exchange.transport, [.remote])
                let error = Packet.ip(from: ground.router, to: ground.node)
                    .tooBig(mtu: 1400, about: ground.tunnelled(request))
                try lab.receive(error).expect(.passed, error)
            }
        }
    }
}
