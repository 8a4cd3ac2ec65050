// The ways that XDP remembers contain the backends that they lead to: those must be the present ones.

import Datapath
import DatapathImage
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("Remembered ways") struct RememberedWayTests {
        static let exchanges = (Exchange.tcp + Exchange.udp).filter { $0.entrance == .xdp }

        @Test("a backend that has got the id of another one is sent to at once", arguments: exchanges)
        func reusedID(_ exchange: Exchange) throws {
            try withLab { lab in
                let ground = exchange.ground
                let request = exchange.request(to: ground.frontend(.loadBalancer))
                for backend in [ground.remotePod, ground.otherRemotePod, ground.farPod] {
                    try lab.startAfresh()
                    try lab.serve(exchange.transport, endpoints: [.ready(backend)], .dsr)
                    for _ in 0..<2 { #expect(try lab.receive(request, by: .xdp).packet.destination == backend) }
                }
            }
        }

        @Test("so is one that has moved to another port", arguments: exchanges)
        func otherPort(_ exchange: Exchange) throws {
            try withLab { lab in
                let ground = exchange.ground
                let request = exchange.request(to: ground.frontend(.loadBalancer))
                for port in [UInt16(8080), 9090] {
                    try lab.startAfresh()
                    try lab.serve(exchange.transport, endpoints: [.ready(ground.remotePod)], port: port) {
                        $0.forwarding = .dsr
                    }
                    for _ in 0..<2 {
                        let outer = try lab.receive(request, by: .xdp).packet
                        #expect(outer.ipv4.map { $0.identification == port } ?? (outer.ipv6?.flowLabel == UInt32(port)))
                    }
                }
            }
        }

        @Test("a flow goes on to its own backend though the id is another's by now", arguments: exchanges)
        func outlivedID(_ exchange: Exchange) throws {
            try withLab { lab in
                let ground = exchange.ground
                try lab.serve(exchange.transport, [.remote])
                let request = exchange.request(to: ground.frontend(.loadBalancer))
                let sent = try exchange.open(lab, request)
                try lab.serve(exchange.transport, [])
                try lab.perform(lab.image.reclaim(through: lab.image.generation))
                try lab.serve(exchange.transport, endpoints: [.ready(ground.otherRemotePod)])
                let other = exchange.request(to: ground.frontend(.loadBalancer), port: 40001)
                for _ in 0..<2 {
                    #expect(try lab.receive(other, by: .xdp).packet.destination == ground.otherRemotePod)
                    let later = try lab.receive(exchange.later(request), by: .xdp)
                    #expect(try later.packet.receiver == sent.receiver)
                    #expect(try later.packet.sender == sent.sender)
                }
            }
        }
    }
}
