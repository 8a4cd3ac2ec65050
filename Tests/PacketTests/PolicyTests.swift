// Who gets which backends, and as whom: the rules of sections 5, 8 and 10 as packets meet them.

import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("Policies") struct PolicyTests {
        static let tc = Exchange.all.filter { $0.entrance == .tc }
        static let external = [FrontendPlan.Kind.nodePort, .externalIP, .loadBalancer]

        @Test(
            "internalTrafficPolicy Local leads to this node's backends, and masquerades as Cluster does (TP-1, MASQ-12)",
            arguments: Exchange.all)
        func internalLocal(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.local, .remote]) { $0.internalTrafficPolicy = .local }
                let frontend = exchange.ground.frontend(.clusterIP)
                for port in UInt16(50000)..<50008 {
                    let outside = exchange.request(to: frontend, port: port)
                    try exchange.open(lab, outside, to: exchange.ground.localPod, verdict: .redirected)
                    let pod = exchange.request(to: frontend, from: exchange.ground.otherLocalPod, port: port)
                    let seen = try lab.receive(pod, at: "pod1")
                    #expect(seen.verdict == .passed)
                    #expect(try seen.packet.destination == exchange.ground.localPod)
                    #expect(try seen.packet.source == exchange.ground.otherLocalPod)
                }
            }
        }

        @Test(
            "internalTrafficPolicy Local without them is silence, refusal if there are none at all, and is nothing to node ports (TP-2, TP-3)",
            arguments: Exchange.all)
        func internalLocalMissing(_ exchange: Exchange) throws {
            try withLab { lab in
                let request = exchange.request(to: exchange.ground.frontend(.clusterIP))
                let pod = exchange.request(
                    to: exchange.ground.frontend(.clusterIP), from: exchange.ground.localPod)
                try lab.serve(exchange.transport, [.remote]) { $0.internalTrafficPolicy = .local }
                try lab.receive(request, by: exchange.entrance).expect(.dropped, nil, .noLocalEndpoints)
                try lab.receive(pod, at: "pod1").expect(.dropped, nil, .noLocalEndpoints)
                try exchange.open(lab, exchange.request(to: exchange.ground.frontend(.nodePort)))
                try lab.serve(exchange.transport, []) { $0.internalTrafficPolicy = .local }
                try lab.receive(request, by: exchange.entrance).expect(.redirected, nil, .noEndpoints)
                try lab.receive(pod, at: "pod1").expect(.redirected, nil, .noEndpoints)
            }
        }

        @Test(
            "pods are masqueraded at external addresses with externalTrafficPolicy Cluster (MASQ-4)", arguments: tc,
            external)
        func pods(_ exchange: Exchange, _ kind: FrontendPlan.Kind) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(kind), from: exchange.ground.localPod)
                let sent = try exchange.open(lab, request, at: "pod1")
                try exchange.expectReply(lab, to: sent, answering: request)
            }
        }

        @Test(
            "a source on this node reaches any backend, masqueraded, whatever the policy (TP-6, MASQ-11)",
            arguments: Exchange.all, FrontendPlan.Kind.allCases)
        func nodeLocal(_ exchange: Exchange, _ kind: FrontendPlan.Kind) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote]) { $0.externalTrafficPolicy = .local }
                let request = exchange.request(
                    to: exchange.ground.frontend(kind), from: exchange.ground.nodeAtFarSide)
                try exchange.open(lab, request, verdict: .redirected)
            }
        }

        @Test("without a detector a pod is an outside client (TP-8)", arguments: tc, external)
        func unrecognised(_ exchange: Exchange, _ kind: FrontendPlan.Kind) throws {
            try withLab(.with { $0.detector = .none }) { lab in
                try lab.serve(exchange.transport, [.remote]) { $0.externalTrafficPolicy = .local }
                let pod = exchange.request(to: exchange.ground.frontend(kind), from: exchange.ground.localPod)
                try lab.receive(pod, at: "pod1").expect(.dropped, nil, .noLocalEndpoints)
            }
        }

        @Test(
            "source ranges are for load-balancer addresses, and for what is new (LBSR-1, LBSR-2, LBSR-10)",
            arguments: Exchange.all)
        func sourceRanges(_ exchange: Exchange) throws {
            try withLab { lab in
                let ground = exchange.ground
                func serve(_ ranges: [CIDR]) throws {
                    try lab.serve(exchange.transport, [.remote]) { $0.loadBalancerSourceRanges = ranges }
                }
                let request = exchange.request(to: ground.frontend(.loadBalancer))
                try serve([CIDR(ground.client), CIDR(ground.localPod)])
                let sent = try exchange.open(lab, request)
                try lab.receive(
                    exchange.request(to: ground.frontend(.loadBalancer), from: ground.otherClient),
                    by: exchange.entrance
                ).expect(.dropped, nil, .sourceRange)
                try serve([CIDR(ground.otherClient)])
                let later = try lab.receive(exchange.later(request), by: exchange.entrance)
                #expect(later.outcomes == [.sentOn: 1])
                try exchange.expectReply(lab, to: sent, answering: request)
                let other = exchange.request(to: ground.frontend(.loadBalancer), port: 40001)
                try lab.receive(other, by: exchange.entrance).expect(.dropped, nil, .sourceRange)
                for kind in [FrontendPlan.Kind.nodePort, .externalIP] {
                    try exchange.open(lab, exchange.request(to: ground.frontend(kind), port: 40001))
                }
            }
        }

        @Test("echo requests to the node's addresses are left alone (ICMP-3)", arguments: Ground.both)
        func echo(_ ground: Ground) throws {
            try withLab { lab in
                try lab.serve(.tcp, [.remote])
                for address in [ground.node, ground.nodeAtFarSide] {
                    let request = Packet.ip(from: ground.client, to: address)
                        .echoRequest(identifier: 1, payload: [1, 2, 3])
                    try lab.receive(request, by: .xdp).expect(.passed, request)
                }
            }
        }

        @Test("a reply that no window admits is translated like any other (CT-6)", arguments: Exchange.tcp)
        func outOfWindow(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(.tcp, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(.nodePort))
                let sent = try exchange.open(lab, request)
                for sequence: UInt32 in [0, 0x8000_0000, .max] {
                    var reply = exchange.reply(to: sent)
                    reply.tcp?.sequence = sequence
                    reply.tcp?.acknowledgment = ~sequence
                    var restored = reply.onward()
                    (restored.sender, restored.receiver) = (request.receiver, request.sender)
                    try lab.receive(reply, by: exchange.entrance).expect(.sent(exchange), restored, .replied)
                }
            }
        }
    }
}
