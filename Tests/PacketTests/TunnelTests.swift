// DSR: clients' packets go to backends of other nodes in tunnels, and the backend's node answers the client itself.

import BPF
import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("DSR") struct TunnelTests {
        static let external = [FrontendPlan.Kind.nodePort, .externalIP, .loadBalancer]
        static let exchanges = Exchange.all
        static let tc = exchanges.filter { $0.entrance == .tc }

        @Test(
            "a packet goes to its backend's node as it is, in a tunnel that names the backend", arguments: exchanges,
            external)
        func tunnel(_ exchange: Exchange, _ kind: FrontendPlan.Kind) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote], .dsr)
                let request = exchange.request(to: exchange.ground.frontend(kind))
                for packet in [request, exchange.later(request)] {
                    try lab.receive(packet, by: exchange.entrance)
                        .expect(.sent(exchange), exchange.ground.tunnelled(packet.onward()), .tunnelled)
                }
                #expect(try lab.datapath.maps.flows.count() == 0)
            }
        }

        @Test("every entrance chooses alike, all backends are used, and a client keeps its own", arguments: Ground.both)
        func choice(_ ground: Ground) throws {
            try withLab { lab in
                try lab.serve(.udp, endpoints: [.ready(ground.remotePod), .ready(ground.otherRemotePod)], .dsr)
                var backends: Set<IPAddress> = []
                for port in UInt16(50000)..<50032 {
                    let chosen = try Entrance.allCases.flatMap { entrance in
                        let exchange = Exchange(ground: ground, transport: .udp, entrance: entrance)
                        let request = exchange.request(to: ground.frontend(.loadBalancer), port: port)
                        return try (0..<2).map { _ in try lab.receive(request, by: entrance).packet.destination }
                    }
                    #expect(Set(chosen).count == 1)
                    backends.formUnion(chosen)
                }
                #expect(backends == [ground.remotePod, ground.otherRemotePod])
            }
        }

        @Test("with affinity a client is its address (AFF-2)", arguments: exchanges)
        func affinity(_ exchange: Exchange) throws {
            try withLab { lab in
                let ground = exchange.ground
                try lab.serve(
                    exchange.transport, endpoints: [.ready(ground.remotePod), .ready(ground.otherRemotePod)]
                ) {
                    $0.forwarding = .dsr
                    $0.sessionAffinitySeconds = 10
                }
                let backends = try (UInt16(50000)..<50020).map { port in
                    try lab.receive(
                        exchange.request(to: ground.frontend(.loadBalancer), port: port), by: exchange.entrance
                    ).packet.destination
                }
                #expect(Set(backends).count == 1)
            }
        }

        @Test(
            "a backend of this node sees the client, and its reply leaves as the frontend's", arguments: exchanges,
            external)
        func local(_ exchange: Exchange, _ kind: FrontendPlan.Kind) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.local], .dsr)
                try exchange.openLocally(lab, exchange.request(to: exchange.ground.frontend(kind)))
            }
        }

        @Test(
            "on the backend's node the tunnel ends, and the reply goes to the client with a smaller MSS",
            arguments: exchanges, [FrontendPlan.Kind.externalIP, .loadBalancer])
        func decapsulation(_ exchange: Exchange, _ kind: FrontendPlan.Kind) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.local], .dsr)
                try exchange.expectArrival(lab, exchange.request(to: exchange.ground.frontend(kind)))
            }
        }

        @Test("a node port is dialled at the other node's address", arguments: exchanges)
        func nodePort(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.local], .dsr)
                let frontend = AddressAndPort(address: exchange.ground.otherNode, port: Ground.nodePort)
                try exchange.expectArrival(lab, exchange.request(to: frontend))
            }
        }

        @Test("a tunnel of somebody else's is left alone", arguments: tc)
        func otherTunnels(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.local])
                let ground = exchange.ground
                let request = exchange.request(to: ground.frontend(.loadBalancer))
                let tunnel = ground.tunnelled(request, from: ground.otherNode, to: ground.localPod)
                try lab.receive(tunnel).expect(.passed, tunnel)
                try lab.serve(exchange.transport, [.local], .dsr)
                var unnamed = tunnel
                unnamed.ipv4?.identification = 0
                unnamed.ipv6?.flowLabel = 0
                try lab.receive(unnamed).expect(.passed, unnamed)
                let passing = ground.tunnelled(request, from: ground.client, to: ground.remotePod)
                try lab.receive(passing).expect(.passed, passing)
            }
        }

        @Test(
            "what does not fit into the tunnel is answered with the size that would (RFC 1191, RFC 4443)",
            arguments: Exchange.udp + Exchange.tcp)
        func tooBig(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote], .dsr)
                let header = exchange.ground.headerBytes
                let empty = exchange.later(exchange.request(to: exchange.ground.frontend(.loadBalancer)), payload: [])
                let room = 1500 - header - empty.bytes.count
                let fitting = exchange.later(empty, payload: [UInt8](repeating: 3, count: room))
                try lab.receive(fitting, by: exchange.entrance)
                    .expect(.sent(exchange), exchange.ground.tunnelled(fitting.onward()), .tunnelled)
                let large = exchange.later(empty, payload: [UInt8](repeating: 3, count: room + 1))
                let seen = try lab.receive(large, by: exchange.entrance)
                #expect(seen.outcomes[.tooBig] == 1)
                #expect(seen.verdict == .redirected)
                #expect(try diff(Exchange.tooBig(UInt32(1500 - header), answering: large), seen.packet) == "")
                #expect(try seen.frame.ethernet == Ethernet(from: Link.eth0, to: Link.gateway))
            }
        }

        @Test("without backends clients are refused, and dropped with a Local policy (TP-7)", arguments: exchanges)
        func nobody(_ exchange: Exchange) throws {
            try withLab { lab in
                let request = exchange.request(to: exchange.ground.frontend(.loadBalancer))
                try lab.serve(exchange.transport, [], .dsr)
                try lab.receive(request, by: exchange.entrance).expect(.redirected, nil, .noEndpoints)
                try lab.startAfresh()
                try lab.serve(exchange.transport, [.remote]) {
                    $0.forwarding = .dsr
                    $0.externalTrafficPolicy = .local
                }
                try lab.receive(request, by: exchange.entrance).expect(.dropped, nil, .noLocalEndpoints)
            }
        }

        @Test(
            "an error for a client's backend follows the flow, and is translated where the tunnel ends (ICMP-1)",
            arguments: tc)
        func errors(_ exchange: Exchange) throws {
            let ground = exchange.ground
            let frontend = ground.frontend(.loadBalancer)
            let request = exchange.request(to: frontend)
            let answer = exchange.reply(to: request)
            let error = Packet.ip(from: ground.router, to: frontend.address).tooBig(mtu: 1300, about: answer)
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote], .dsr)
                try lab.receive(error).expect(.redirected, ground.tunnelled(error.onward()), .tunnelled)
            }
            try withLab { lab in
                try lab.serve(exchange.transport, [.local], .dsr)
                try exchange.expectArrival(lab, request)
                var translated = answer
                translated.sender = AddressAndPort(address: ground.localPod, port: Ground.backendPort)
                let expected = Packet.ip(from: ground.router, to: ground.localPod).tooBig(mtu: 1300, about: translated)
                let seen = try lab.receive(ground.tunnelled(error, from: ground.otherNode, to: ground.localPod))
                #expect(seen.verdict == .passed)
                #expect(try diff(expected, seen.packet) == "")
                #expect(try seen.packet.problems == [])
            }
        }

        @Test("pods are not tunnelled for", arguments: tc)
        func pods(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote], .dsr)
                let request = exchange.request(
                    to: exchange.ground.frontend(.loadBalancer), from: exchange.ground.localPod)
                let sent = try exchange.open(lab, request, at: "pod1")
                try exchange.expectReply(lab, to: sent, answering: request)
            }
        }
    }
}

extension Ground {
    /// In the tunnel that DSR makes: the backend's port is in the identification or the flow label.
    func tunnelled(_ packet: Packet, from source: IPAddress? = nil, to backend: IPAddress? = nil) -> Packet {
        let (source, backend) = (source ?? node, backend ?? remotePod)
        return packet.encapsulated(
            in: family == .ipv4
                ? .ipv4(
                    from: source, to: backend, trafficClass: packet.trafficClass, identification: Ground.backendPort)
                : .ipv6(
                    from: source, to: backend, trafficClass: packet.trafficClass, flowLabel: UInt32(Ground.backendPort))
        )
    }

    /// What is left for a segment when a tunnel's header is on the way.
    var clampedMSS: UInt16 { UInt16(1500 - 2 * headerBytes - 20) }
}

extension Exchange {
    /// Expects a tunnel from another node to be opened for the local backend, and its answer to leave as the
    /// frontend's.
    fileprivate func expectArrival(_ lab: Lab, _ request: Packet, from place: SourceLocation = #_sourceLocation) throws
    {
        var expected = request
        expected.receiver = AddressAndPort(address: ground.localPod, port: Ground.backendPort)
        let tunnel = ground.tunnelled(request, from: ground.otherNode, to: ground.localPod)
        try lab.receive(tunnel, by: entrance, from: place)
            .expect(.passed, expected, .decapsulated, .answeredLocally, from: place)
        let reply = reply(to: expected)
        var restored = reply
        (restored.sender, restored.receiver) = (request.receiver, request.sender)
        restored.tcp?.options = [.mss(ground.clampedMSS)]
        try lab.send(reply).expect(.passed, restored, .replied, from: place)
    }
}

extension Lab {
    enum Way { case dsr }

    func serve(_ transport: TransportProtocol, _ backends: [Backends], _ way: Way) throws {
        try serve(transport, backends) { $0.forwarding = .dsr }
    }

    func serve(_ transport: TransportProtocol, endpoints: [Endpoint], _ way: Way) throws {
        try serve(transport, endpoints: endpoints) { $0.forwarding = .dsr }
    }
}
