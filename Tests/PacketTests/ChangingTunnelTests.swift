// DSR while backends change: connections keep theirs, whatever the table says now, and only flows whose slot has moved
// are tracked.

import BPF
import CDatapathABI
import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("DSR while backends change") struct ChangingTunnelTests {
        private static let ports = UInt16(50000)..<50064

        private static func backends(_ lab: Lab, _ packets: [Packet], _ direct: DirectReturn) throws -> [IPAddress] {
            try packets.map { packet in
                let seen = try lab.receive(packet, by: direct.exchange.entrance)
                #expect(seen.outcomes[direct.sent] == 1, "\(seen)")
                return try seen.packet.destination
            }
        }

        @Test(
            "connections keep their backend when another one comes, and when theirs goes (BAL-3)",
            arguments: DirectReturn.tcp)
        func connections(_ direct: DirectReturn) throws {
            try withLab(direct.layout) { lab in
                let exchange = direct.exchange
                let ground = exchange.ground
                let third = ground.farPod
                let (a, b) = (ground.remotePod, ground.otherRemotePod)
                func serve(_ addresses: [IPAddress]) throws {
                    try lab.serve(.tcp, endpoints: addresses.map { .ready($0) }, .dsr)
                }
                let openings = Self.ports.map { exchange.request(to: ground.frontend(.loadBalancer), port: $0) }
                let laters = openings.map { exchange.later($0) }
                try serve([a, b])
                let before = try Self.backends(lab, openings, direct)
                try serve([a, b, third])
                #expect(try Self.backends(lab, laters, direct) == before)
                try serve([a, third])
                #expect(try Self.backends(lab, laters, direct) == before)
                // What opens now goes by the new table, and its later packets with it.
                let fresh = Self.ports.map { exchange.request(to: ground.frontend(.loadBalancer), port: $0 + 1000) }
                let chosen = try Self.backends(lab, fresh, direct)
                #expect(Set(chosen) == [a, third])
                #expect(try Self.backends(lab, fresh.map { exchange.later($0) }, direct) == chosen)
                #expect(try lab.datapath.maps.flows.count() < 2 * Self.ports.count)
            }
        }

        @Test("a service that becomes DSR, or ceases to be, keeps its connections", arguments: DirectReturn.tcp)
        func forwarding(_ direct: DirectReturn) throws {
            try withLab(direct.layout) { lab in
                let exchange = direct.exchange
                let ground = exchange.ground
                func serve(_ forwarding: Service.Forwarding) throws {
                    try lab.serve(
                        .tcp, endpoints: [.ready(ground.remotePod), .ready(ground.otherRemotePod)]
                    ) { $0.forwarding = forwarding }
                }
                try serve(.snat)
                let first = exchange.request(to: ground.frontend(.loadBalancer))
                let sent = try lab.receive(first, by: exchange.entrance).packet
                try serve(.dsr)
                let later = try lab.receive(exchange.later(first), by: exchange.entrance)
                #expect(later.outcomes == [.sentOn: 1])
                #expect(try later.packet.sender == sent.sender && later.packet.receiver == sent.receiver)
                try exchange.expectReply(lab, to: sent, answering: first)
                let second = exchange.request(to: ground.frontend(.loadBalancer), port: 40001)
                let backend = try Self.backends(lab, [second], direct)
                try serve(.snat)
                #expect(try Self.backends(lab, [exchange.later(second)], direct) == backend)
                let third = exchange.request(to: ground.frontend(.loadBalancer), port: 40002)
                #expect(try lab.receive(third, by: exchange.entrance).outcomes == [.sentOn: 1])
            }
        }
    }
}
