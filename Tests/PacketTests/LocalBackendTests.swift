// Backends of this node: TC translates, and XDP leaves them to it. Where the client keeps its address the kernel routes
// the packet, and the reply is translated where it leaves.

import BPF
import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("A backend of this node") struct LocalBackendTests {
        static let external = [FrontendPlan.Kind.nodePort, .externalIP, .loadBalancer]

        @Test("is reached masqueraded with externalTrafficPolicy Cluster (MASQ-4)", arguments: Exchange.all, external)
        func masqueraded(_ exchange: Exchange, _ kind: FrontendPlan.Kind) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.local])
                let request = exchange.request(to: exchange.ground.frontend(kind))
                let sent = try exchange.open(lab, request, to: exchange.ground.localPod, verdict: .redirected)
                let tc = Exchange(ground: exchange.ground, transport: exchange.transport, entrance: .tc)
                try tc.expectReply(lab, to: sent, answering: request, at: "pod1")
            }
        }

        @Test(
            "sees the client with externalTrafficPolicy Local, and its reply leaves as the frontend's (TP-5, MASQ-3)",
            arguments: Exchange.all, external)
        func transparent(_ exchange: Exchange, _ kind: FrontendPlan.Kind) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.local, .remote]) { $0.externalTrafficPolicy = .local }
                let request = exchange.request(to: exchange.ground.frontend(kind))
                try exchange.openLocally(lab, request)
            }
        }

        @Test("is chosen by XDP or TC alike, and TC follows what XDP chose", arguments: Exchange.all)
        func recordedChoice(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(
                    exchange.transport,
                    endpoints: [
                        .ready(exchange.ground.localPod, isLocal: true),
                        .ready(exchange.ground.otherLocalPod, isLocal: true),
                    ])
                for port in UInt16(50000)..<50016 {
                    let request = exchange.request(to: exchange.ground.frontend(.nodePort), port: port)
                    let first = try lab.receive(request, by: exchange.entrance)
                    #expect(first.verdict == .redirected)
                    let second = try lab.receive(exchange.later(request), by: .tc)
                    #expect(try second.packet.receiver == first.packet.receiver)
                    #expect(try second.packet.sender == first.packet.sender)
                }
                #expect(try lab.datapath.maps.flows.count() == 16)
            }
        }

        @Test("that is on the node's own network keeps the client's address (MASQ-7)", arguments: Exchange.all)
        func hostNetwork(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, endpoints: [.ready(exchange.ground.node, isLocal: true)])
                let request = exchange.request(to: exchange.ground.frontend(.nodePort))
                try exchange.openLocally(lab, request, to: exchange.ground.node)
            }
        }

        @Test("keeps a flow's client apart where one port is used twice", arguments: Exchange.all)
        func onePortTwice(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.local]) { $0.externalTrafficPolicy = .local }
                let first = exchange.request(to: exchange.ground.frontend(.externalIP))
                try exchange.openLocally(lab, first)
                let second = exchange.request(to: exchange.ground.frontend(.loadBalancer))
                let seen = try lab.receive(second, by: exchange.entrance)
                let port = try #require(try seen.packet.sourcePort)
                #expect((61000...65535).contains(port))
                var expected = second
                expected.sourcePort = port
                expected.receiver = AddressAndPort(address: exchange.ground.localPod, port: Ground.backendPort)
                seen.expect(.passed, expected, .answeredLocally, .portCollision)
                try exchange.expectLeaving(lab, replyTo: expected, answering: second)
                var firstSent = first
                firstSent.receiver = expected.receiver
                try exchange.expectLeaving(lab, replyTo: firstSent, answering: first)
            }
        }

        @Test("is missing: silence while others serve, refusal when nobody does (TP-7)", arguments: Exchange.all)
        func missing(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote]) { $0.externalTrafficPolicy = .local }
                let request = exchange.request(to: exchange.ground.frontend(.nodePort))
                try lab.receive(request, by: exchange.entrance).expect(.dropped, nil, .noLocalEndpoints)
                try lab.serve(exchange.transport, []) { $0.externalTrafficPolicy = .local }
                try lab.receive(request, by: exchange.entrance).expect(.redirected, nil, .noEndpoints)
            }
        }

        @Test(
            "is not asked for by pods, which are short-circuited to any backend with their address (TP-6)",
            arguments: Exchange.all.filter { $0.entrance == .tc }, external)
        func shortCircuit(_ exchange: Exchange, _ kind: FrontendPlan.Kind) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote]) { $0.externalTrafficPolicy = .local }
                let request = exchange.request(
                    to: exchange.ground.frontend(kind), from: exchange.ground.otherLocalPod)
                try exchange.openLocally(lab, request, to: exchange.ground.remotePod, at: "pod1", leavingBy: "pod1")
            }
        }
    }
}

extension Exchange {
    /// Expects a client's packet to be handed to the kernel with only its destination translated, and the backend's
    /// answer to be translated back where it leaves.
    func openLocally(
        _ lab: Lab, _ request: Packet, to backend: IPAddress? = nil, at device: String = "eth0",
        leavingBy way: String = "eth0", from place: SourceLocation = #_sourceLocation
    ) throws {
        var expected = request
        expected.receiver = AddressAndPort(address: backend ?? ground.localPod, port: Ground.backendPort)
        try lab.receive(request, at: device, by: entrance, from: place)
            .expect(.passed, expected, .answeredLocally, from: place)
        try expectLeaving(lab, replyTo: expected, answering: request, by: way, from: place)
    }

    /// Expects the answer to `sent` to be translated where it leaves, as one to `request`.
    func expectLeaving(
        _ lab: Lab, replyTo sent: Packet, answering request: Packet, by device: String = "eth0",
        from place: SourceLocation = #_sourceLocation
    ) throws {
        let reply = reply(to: sent)
        var restored = reply
        (restored.sender, restored.receiver) = (request.receiver, request.sender)
        try lab.send(reply, by: device).expect(.passed, restored, .replied, from: place)
    }
}
