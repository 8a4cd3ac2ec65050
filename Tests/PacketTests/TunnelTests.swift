// DSR: clients' packets go to backends of other nodes with the client's address kept, and the backend's node answers the
// client itself. Each way of dispatching does the same; what only one has is in OptionTests and OuterHeaderTests.

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
        static let returns = DirectReturn.all

        @Test(
            "a packet goes to its backend's node, in a tunnel that names the backend or with what was dialled beside it",
            arguments: returns, external)
        func sending(_ direct: DirectReturn, _ kind: FrontendPlan.Kind) throws {
            try withLab(direct.layout) { lab in
                let exchange = direct.exchange
                try lab.serve(exchange.transport, [.remote], .dsr)
                let request = exchange.request(to: exchange.ground.frontend(kind))
                for packet in [request, exchange.later(request)] { try direct.expectSent(lab, packet) }
                #expect(try lab.datapath.maps.flows.count() == 0)
            }
        }

        @Test(
            "every entrance chooses alike, all backends are used, and a client keeps its own", arguments: Ground.both,
            DirectReturnDispatch.allCases)
        func choice(_ ground: Ground, _ dispatch: DirectReturnDispatch) throws {
            try withLab(.with { $0.packets.dispatch = dispatch }) { lab in
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

        @Test("with affinity a client is its address (AFF-2)", arguments: returns)
        func affinity(_ direct: DirectReturn) throws {
            try withLab(direct.layout) { lab in
                let exchange = direct.exchange
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
            "a backend of this node sees the client, and its reply leaves as the frontend's", arguments: returns,
            external)
        func local(_ direct: DirectReturn, _ kind: FrontendPlan.Kind) throws {
            try withLab(direct.layout) { lab in
                let exchange = direct.exchange
                try lab.serve(exchange.transport, [.local], .dsr)
                try exchange.openLocally(lab, exchange.request(to: exchange.ground.frontend(kind)))
            }
        }

        @Test(
            "on the backend's node the backend sees the client, and the reply goes to the client, through a tunnel's MSS",
            arguments: returns, [FrontendPlan.Kind.externalIP, .loadBalancer])
        func arrival(_ direct: DirectReturn, _ kind: FrontendPlan.Kind) throws {
            try withLab(direct.layout) { lab in
                let request = direct.exchange.request(to: direct.ground.frontend(kind))
                try lab.serve(direct.exchange.transport, [.local], .dsr)
                try direct.expectArrival(lab, request)
                // Either is understood, whatever this node does itself.
                try lab.forgetFlows()
                let dispatch: DirectReturnDispatch = direct.dispatch == .ipip ? .option : .ipip
                try DirectReturn(exchange: direct.exchange, dispatch: dispatch).expectArrival(lab, request)
            }
        }

        @Test("a node port is dialled at the other node's address", arguments: returns)
        func nodePort(_ direct: DirectReturn) throws {
            try withLab(direct.layout) { lab in
                try lab.serve(direct.exchange.transport, [.local], .dsr)
                let frontend = AddressAndPort(address: direct.ground.otherNode, port: Ground.nodePort)
                try direct.expectArrival(lab, direct.exchange.request(to: frontend))
            }
        }

        @Test("a tunnel of somebody else's is left alone", arguments: Exchange.all.filter { $0.entrance == .tc })
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
            "what does not fit on the way is answered with the size that would (RFC 1191, RFC 4443)",
            arguments: DirectReturn.udp + DirectReturn.tcp)
        func tooBig(_ direct: DirectReturn) throws {
            try withLab(direct.layout) { lab in
                let exchange = direct.exchange
                try lab.serve(exchange.transport, [.remote], .dsr)
                let opening = exchange.request(to: exchange.ground.frontend(.loadBalancer))
                let later = exchange.later(opening, payload: [])
                for empty in exchange.transport == .tcp ? [opening, later] : [later] {
                    let overhead = direct.overhead(of: empty)
                    let room = 1500 - overhead - empty.bytes.count
                    func loaded(_ count: Int) -> Packet {
                        var packet = empty
                        packet.tcp?.payload = [UInt8](repeating: 3, count: count)
                        packet.udp?.payload = [UInt8](repeating: 3, count: count)
                        return packet
                    }
                    try direct.expectSent(lab, loaded(room))
                    let large = loaded(room + 1)
                    let seen = try lab.receive(large, by: exchange.entrance)
                    #expect(seen.outcomes[.tooBig] == 1)
                    #expect(seen.verdict == .redirected)
                    let answer = Exchange.tooBig(UInt32(1500 - overhead), answering: large)
                    #expect(try diff(answer, seen.packet) == "")
                    #expect(try seen.frame.ethernet == Ethernet(from: Link.eth0, to: Link.gateway))
                }
            }
        }

        @Test("without backends clients are refused, and dropped with a Local policy (TP-7)", arguments: returns)
        func nobody(_ direct: DirectReturn) throws {
            try withLab(direct.layout) { lab in
                let exchange = direct.exchange
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
            "an error for a client's backend follows the flow, and is about the backend's packet in the end (ICMP-1)",
            arguments: DirectReturn.byTC)
        func errors(_ direct: DirectReturn) throws {
            let (ground, exchange) = (direct.ground, direct.exchange)
            let frontend = ground.frontend(.loadBalancer)
            let request = exchange.request(to: frontend)
            let answer = exchange.reply(to: request)
            let error = Packet.ip(from: ground.router, to: frontend.address).tooBig(mtu: 1300, about: answer)
            func translated(for pod: IPAddress) -> Packet {
                var answer = answer
                answer.sender = AddressAndPort(address: pod, port: Ground.backendPort)
                return Packet.ip(from: ground.router, to: pod).tooBig(mtu: 1300, about: answer)
            }
            try withLab(direct.layout) { lab in
                try lab.serve(exchange.transport, [.remote], .dsr)
                let sent = direct.dispatch == .ipip ? ground.tunnelled(error) : translated(for: ground.remotePod)
                try lab.receive(error).expect(.redirected, sent.onwardInside(direct.dispatch), direct.sent)
            }
            try withLab(direct.layout) { lab in
                try lab.serve(exchange.transport, [.local], .dsr)
                try direct.expectArrival(lab, request)
                let sent =
                    direct.dispatch == .ipip
                    ? ground.tunnelled(error, from: ground.otherNode, to: ground.localPod)
                    : translated(for: ground.localPod)
                let seen = try lab.receive(sent)
                #expect(seen.verdict == .passed)
                #expect(try diff(translated(for: ground.localPod), seen.packet) == "")
                #expect(try seen.packet.problems == [])
            }
        }

        @Test("pods are served by translation", arguments: DirectReturn.byTC)
        func pods(_ direct: DirectReturn) throws {
            try withLab(direct.layout) { lab in
                let exchange = direct.exchange
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

extension Packet {
    /// One hop further: of what is in the tunnel, or of the packet itself.
    fileprivate func onwardInside(_ dispatch: DirectReturnDispatch) -> Packet {
        guard dispatch == .ipip, case .packet(let inner) = content else { return onward() }
        var packet = self
        packet.content = .packet(inner.onward())
        return packet
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
