// ClusterIPs as packets meet them: pods whose sockets nobody sees, and clients outside that are routed here.

import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("A ClusterIP") struct ClusterIPTests {
        static let pods = Exchange.all.filter { $0.entrance == .tc }

        @Test("shows a pod's own address to the backend (MASQ-1)", arguments: pods)
        func pod(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                let request = exchange.request(
                    to: exchange.ground.frontend(.clusterIP), from: exchange.ground.localPod)
                try exchange.openLocally(
                    lab, request, to: exchange.ground.remotePod, at: "pod1", leavingBy: "pod1")
            }
        }

        @Test("masquerades pods only if everything is (MASQ-6)", arguments: pods)
        func masqueradeAll(_ exchange: Exchange) throws {
            try withLab(.with { $0.masqueradeAll = true }) { lab in
                try lab.serve(exchange.transport, [.remote])
                let request = exchange.request(
                    to: exchange.ground.frontend(.clusterIP), from: exchange.ground.localPod)
                let sent = try exchange.open(lab, request, at: "pod1")
                try exchange.expectReply(lab, to: sent, answering: request)
            }
        }

        @Test("masquerades nobody without a detector (MASQ-8)", arguments: Exchange.all)
        func withoutDetector(_ exchange: Exchange) throws {
            try withLab(.with { $0.detector = .none }) { lab in
                try lab.serve(exchange.transport, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(.clusterIP))
                try exchange.openLocally(lab, request, to: exchange.ground.remotePod)
            }
        }

        @Test("refuses outside clients where the operator wants it so", arguments: Exchange.all)
        func insideOnly(_ exchange: Exchange) throws {
            try withLab(.with { $0.servesClusterIPsOutside = false }) { lab in
                try lab.serve(exchange.transport, [.remote])
                let frontend = exchange.ground.frontend(.clusterIP)
                let outside = try lab.receive(exchange.request(to: frontend), by: exchange.entrance)
                outside.expect(.redirected, nil, .fromOutside)
                let pod = try lab.receive(
                    exchange.request(to: frontend, from: exchange.ground.localPod), at: "pod1")
                #expect(pod.verdict == .passed)
                #expect(pod.outcomes == [.answeredLocally: 1])
            }
        }

        @Test("refuses the ports that it does not have (SVC-12)", arguments: Exchange.all)
        func unknownPort(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                var request = exchange.request(to: exchange.ground.frontend(.clusterIP))
                request.destinationPort = 81
                let expected =
                    exchange.transport == .tcp
                    ? Exchange.reset(answering: request, [.rst, .ack], acknowledgment: 0x1234_5679)
                    : Exchange.unreachable(answering: request)
                try lab.receive(request, by: exchange.entrance).expect(.redirected, expected, .unknownPort)
            }
        }

        @Test("refuses other protocols (PORT-3, SVC-12)", arguments: Ground.both)
        func otherProtocol(_ ground: Ground) throws {
            try withLab { lab in
                try lab.serve(.tcp, [.remote])
                let udp = Exchange(ground: ground, transport: .udp, entrance: .tc)
                let request = udp.request(to: ground.frontend(.clusterIP))
                try lab.receive(request).expect(.redirected, Exchange.unreachable(answering: request), .unknownPort)
                let gre = Packet.ip(from: ground.client, to: ground.clusterIP).raw(47, [0, 0, 8, 0, 1, 2, 3, 4])
                try lab.receive(gre).expect(.redirected, Exchange.unreachable(answering: gre), .unknownPort)
            }
        }

        @Test("answers an echo request", arguments: Ground.both, [0, 1, 56, 1400])
        func echo(_ ground: Ground, _ size: Int) throws {
            try withLab { lab in
                try lab.serve(.tcp, [.remote])
                let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
                let request = Packet.ip(from: ground.client, to: ground.clusterIP)
                    .echoRequest(identifier: 7, sequence: 3, payload: payload)
                let expected = Packet.ip(from: ground.clusterIP, to: ground.client)
                    .echoReply(identifier: 7, sequence: 3, payload: payload)
                let seen = try lab.receive(request, by: .xdp)
                seen.expect(.redirected, expected, .echoAnswered)
                #expect(try seen.frame.ethernet == Ethernet(from: Link.eth0, to: Link.gateway))
            }
        }

        @Test("that nobody owns is met with silence (SVC-12)", arguments: Exchange.all)
        func unowned(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                let address = AddressAndPort(address: exchange.ground.unownedServiceAddress, port: 80)
                let request = exchange.request(to: address)
                try lab.receive(request, by: exchange.entrance).expect(.dropped, nil, .unownedAddress)
            }
        }

        @Test("has nothing to say about errors that concern no flow", arguments: Ground.both)
        func errors(_ ground: Ground) throws {
            try withLab { lab in
                try lab.serve(.tcp, [.remote])
                let outer = Packet.ip(from: ground.client, to: ground.clusterIP)
                let back = Packet.ip(from: ground.clusterIP, to: ground.client)
                let abouts = [
                    back.tcp(from: 80, to: 4, .ack), back.tcp(from: 81, to: 4, .ack),
                    back.echoReply(identifier: 1), back.raw(47, [1, 2, 3, 4, 5, 6, 7, 8]),
                ]
                for about in abouts {
                    let seen = try lab.receive(outer.portUnreachable(about: about))
                    #expect(seen.verdict != .redirected, "an error is never answered with one: \(seen)")
                }
                let empty = outer.icmp(type: ground.family == .ipv4 ? 3 : 1, .other([0, 0, 0, 0]))
                #expect(try lab.receive(empty).verdict != .redirected)
            }
        }

        @Test("of a service's client itself is masqueraded, on every path (MASQ-5)", arguments: pods)
        func hairpin(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.local]) { $0.externalTrafficPolicy = .local }
                for kind in FrontendPlan.Kind.allCases {
                    let request = exchange.request(
                        to: exchange.ground.frontend(kind), from: exchange.ground.localPod)
                    let sent = try exchange.open(lab, request, to: exchange.ground.localPod, at: "pod1")
                    try exchange.expectReply(lab, to: sent, answering: request, at: "pod1")
                }
            }
        }

        @Test("that a packet of somebody else's goes past is left alone", arguments: Exchange.all)
        func others(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                for port: UInt16 in [80, 8080, 30081, 61000, 65535] {
                    let request = exchange.request(
                        to: AddressAndPort(address: exchange.ground.node, port: port))
                    try lab.receive(request, by: exchange.entrance).expect(.passed, request)
                    try lab.send(request.swapped).expect(.passed, request.swapped)
                }
            }
        }
    }
}
