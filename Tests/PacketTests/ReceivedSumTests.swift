// Packets from devices that have summed them up (CHECKSUM_COMPLETE): the kernel keeps that sum beside the packet and drops
// a packet that does not agree with it, so what a program changes has to leave it right. The kernel compares after each of
// these runs.

import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("A device's own sum over a packet stays right") struct ReceivedSumTests {
        static let exchanges = Exchange.all.filter { $0.entrance == .tc }
        /// BPF_F_TEST_SKB_CHECKSUM_COMPLETE: the run fails with EBADMSG if the sum is wrong afterwards.
        private static let summed: UInt32 = 4

        @Test("when a request is translated to a backend of this node", arguments: exchanges, [true, false])
        func requests(_ exchange: Exchange, _ isMasqueraded: Bool) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.local]) {
                    $0.externalTrafficPolicy = isMasqueraded ? .cluster : .local
                }
                let request = exchange.request(to: exchange.ground.frontend(.nodePort))
                let seen = try lab.receive(request, flags: Self.summed)
                #expect(seen.verdict == (isMasqueraded ? .redirected : .passed))
                let reply = exchange.reply(to: try seen.packet)
                guard isMasqueraded else { return }
                #expect(try lab.receive(reply, at: "pod1", flags: Self.summed).verdict == .redirected)
            }
        }

        @Test("when a datagram has no checksum of its own", arguments: [true, false])
        func absentChecksums(_ isMasqueraded: Bool) throws {
            try withLab { lab in
                try lab.serve(.udp, [.local]) { $0.externalTrafficPolicy = isMasqueraded ? .cluster : .local }
                let exchange = Exchange(ground: .ipv4, transport: .udp, entrance: .tc)
                var request = exchange.request(to: Ground.ipv4.frontend(.nodePort))
                request.udp?.checksum = .absent
                let seen = try lab.receive(request, flags: Self.summed)
                #expect(try seen.packet.udp?.checksum == .absent)
            }
        }

        @Test("when fragments and rare headers are translated", arguments: exchanges)
        func rareHeaders(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.local])
                let request = exchange.request(to: exchange.ground.frontend(.nodePort))
                #expect(try lab.receive(request.withOptions, flags: Self.summed).verdict == .redirected)
                guard exchange.transport == .udp else { return }
                let large = exchange.later(request, payload: [UInt8](repeating: 7, count: 100))
                for part in large.fragments(of: 48, identification: 0x8181) {
                    #expect(try lab.receive(part, flags: Self.summed).verdict == .redirected)
                }
            }
        }

        @Test("when a tunnel ends", arguments: exchanges)
        func tunnels(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.local], .dsr)
                let request = exchange.request(to: exchange.ground.frontend(.loadBalancer))
                let tunnel = exchange.ground.tunnelled(
                    request, from: exchange.ground.otherNode, to: exchange.ground.localPod)
                #expect(try lab.receive(tunnel, flags: Self.summed).verdict == .passed)
            }
        }

        @Test("when an error is translated", arguments: exchanges, ErrorKind.allCases)
        func errors(_ exchange: Exchange, _ kind: ErrorKind) throws {
            try withLab { lab in
                let ground = exchange.ground
                try lab.serve(exchange.transport, [.local]) { $0.externalTrafficPolicy = .local }
                let request = exchange.request(to: ground.frontend(.loadBalancer))
                try exchange.openLocally(lab, request)
                for source in [ground.router, ground.client] {
                    let error = kind.error(
                        from: source, to: ground.loadBalancerIP, about: exchange.reply(to: request))
                    #expect(try lab.receive(error, flags: Self.summed).verdict == .passed)
                }
            }
        }
    }
}
