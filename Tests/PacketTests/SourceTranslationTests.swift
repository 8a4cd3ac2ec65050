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
            "a request leaves with this node's address and the reply is the client's again",
            arguments: Exchange.all, [FrontendPlan.Kind.nodePort, .externalIP, .loadBalancer, .clusterIP])
        func roundTrip(_ exchange: Exchange, _ kind: FrontendPlan.Kind) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(kind))
                let seen = try lab.receive(request, by: exchange.entrance)
                let port = try #require(try seen.packet.sourcePort)
                #expect((61000...65535).contains(port))
                var expected = request.onward()
                expected.sender = AddressAndPort(address: exchange.ground.node, port: port)
                expected.receiver = AddressAndPort(address: exchange.ground.remotePod, port: Ground.backendPort)
                seen.expect(exchange.sent, expected, .sentOn)

                let reply = exchange.reply(to: expected)
                let back = try lab.receive(reply, by: exchange.entrance)
                var restored = reply.onward()
                restored.sender = request.receiver
                restored.receiver = request.sender
                back.expect(exchange.sent, restored, .replied)
            }
        }
    }
}
