// A masqueraded flow takes no source port that a socket of the node has towards the same backend: its replies would be
// taken for the flow's.

import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import SystemCalls
import Testing

extension PacketTests {
    @Suite("Source ports that sockets of the node have") struct SocketPortTests {
        static let exchanges = Exchange.all.filter { $0.transport != .sctp }

        enum Holder: String, CaseIterable, Sendable {
            case connected, bound, boundToEveryAddress
        }

        @Test(
            "are not taken for flows to the same backend, and replies get to the socket", arguments: exchanges,
            Holder.allCases)
        func collision(_ exchange: Exchange, _ holder: Holder) throws {
            try withLab(.with { $0.packets.sourcePorts = 61000...61001 }) { lab in
                let ground = exchange.ground
                try lab.serve(exchange.transport, [.remote])
                let backend = AddressAndPort(address: ground.remotePod, port: Ground.backendPort)
                let own = AddressAndPort(address: ground.node, port: 61000)
                let socket = try Self.hold(own, holder, exchange.transport, towards: backend)
                let frontend = ground.frontend(.nodePort)
                var opened = 0
                for port in UInt16(50000)..<50004 {
                    let seen = try lab.receive(exchange.request(to: frontend, port: port), by: exchange.entrance)
                    guard seen.verdict != .dropped else {
                        #expect(seen.outcomes[.portsExhausted] == 1, "\(seen)")
                        continue
                    }
                    #expect(try seen.packet.sourcePort == 61001)
                    opened += 1
                }
                #expect(opened == 1)
                var sent = exchange.request(to: backend, from: own.address)
                sent.sourcePort = own.port
                let reply = exchange.reply(to: sent)
                try lab.receive(reply, by: exchange.entrance).expect(.passed, reply)
                _ = try socket.localAddress()
            }
        }

        @Test("are taken for flows to another backend, where no reply can be mistaken", arguments: exchanges)
        func otherBackend(_ exchange: Exchange) throws {
            try withLab(.with { $0.packets.sourcePorts = 61000...61001 }) { lab in
                let ground = exchange.ground
                try lab.serve(exchange.transport, [.remote])
                let own = AddressAndPort(address: ground.node, port: 61000)
                let other = AddressAndPort(address: ground.otherRemotePod, port: Ground.backendPort)
                let socket = try Self.hold(own, .connected, exchange.transport, towards: other)
                var ports: Set<UInt16> = []
                for port in UInt16(50000)..<50064 {
                    let request = exchange.request(to: ground.frontend(.nodePort), port: port)
                    let seen = try lab.receive(request, by: exchange.entrance)
                    if seen.verdict != .dropped { ports.insert(try #require(try seen.packet.sourcePort)) }
                }
                #expect(ports == [61000, 61001])
                _ = try socket.localAddress()
            }
        }

        @Test(
            "that are a NodePort as well take their replies, and leave the NodePort its clients",
            arguments: Exchange.all)
        func nodePort(_ exchange: Exchange) throws {
            try withLab(.with { $0.packets.sourcePorts = Ground.nodePort...Ground.nodePort }) { lab in
                let ground = exchange.ground
                try lab.serve(exchange.transport, endpoints: [.ready(ground.remotePod)])
                try lab.serve(exchange.transport, endpoints: [.ready(ground.otherRemotePod)], named: "other") {
                    $0.clusterIPs = [ground.family: ground.unownedServiceAddress]
                    $0.loadBalancerIPs = []
                    $0.externalIPs = []
                    $0.ports[0].nodePort = Ground.nodePort + 1
                }
                let request = exchange.request(to: ground.frontend(.loadBalancer))
                let seen = try lab.receive(request, by: exchange.entrance)
                let sent = try seen.packet
                #expect(sent.sender == AddressAndPort(address: ground.node, port: Ground.nodePort))
                try exchange.expectReply(lab, to: sent, answering: request)
                // To another backend the one port is free.
                let other = exchange.request(
                    to: AddressAndPort(address: ground.node, port: Ground.nodePort + 1), port: 41000)
                let otherSent = try lab.receive(other, by: exchange.entrance).packet
                #expect(otherSent.destination == ground.otherRemotePod)
                try exchange.expectReply(lab, to: otherSent, answering: other)
                // A client of the NodePort itself, once the port towards its backend is free again.
                try lab.forgetFlows()
                let direct = exchange.request(to: ground.frontend(.nodePort), port: 42000)
                #expect(try lab.receive(direct, by: exchange.entrance).packet.destination == ground.remotePod)
            }
        }

        /// A socket that has the address: for TCP one that asks for a connection, or a server.
        private static func hold(
            _ own: AddressAndPort, _ holder: Holder, _ transport: TransportProtocol, towards backend: AddressAndPort
        ) throws -> InternetSocket {
            let socket = try InternetSocket(
                transport == .tcp ? .tcp : .udp, own.address.family, timeLimit: .milliseconds(10))
            var place = own
            if holder == .boundToEveryAddress { place.address = own.address.family == .ipv4 ? "0.0.0.0" : "::" }
            try socket.bind(to: place)
            switch (holder, transport) {
            case (.connected, .tcp):
                // Nobody answers.
                #expect(throws: SystemError.self) { try socket.connect(to: backend) }
            case (.connected, _): try socket.connect(to: backend)
            case (_, .tcp): try socket.listen()
            default: break
            }
            return socket
        }
    }
}
