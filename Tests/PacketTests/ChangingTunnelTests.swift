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

        @Test(
            "connections outlive their frontend, also when it gets another port, and nothing begins there (SVC-10, BAL-3)",
            arguments: DirectReturn.tcp, [nil, UInt16(81)])
        func outliving(_ direct: DirectReturn, _ otherPort: UInt16?) throws {
            try withLab(direct.layout) { lab in
                let (ground, exchange) = (direct.ground, direct.exchange)
                let openings = Self.ports.map { exchange.request(to: ground.frontend(.loadBalancer), port: $0) }
                let laters = openings.map { exchange.later($0) }
                func serve(_ name: String, _ addresses: [IPAddress], port: UInt16 = Ground.port) throws {
                    try lab.serve(.tcp, endpoints: addresses.map { .ready($0) }, named: name) {
                        $0.forwarding = .dsr
                        $0.ports = [ServicePort(protocol: .tcp, port: port, nodePort: Ground.nodePort)]
                    }
                }
                try serve("web", [ground.remotePod, ground.otherRemotePod])
                let before = try Self.backends(lab, openings, direct)
                #expect(Set(before).count == 2)
                if let otherPort {
                    try serve("web", [ground.remotePod, ground.otherRemotePod], port: otherPort)
                } else {
                    try lab.withdraw()
                }
                for _ in 0..<2 { #expect(try Self.backends(lab, laters, direct) == before) }
                for opening in openings.prefix(4) {
                    let seen = try lab.receive(opening, by: exchange.entrance)
                    // With another port the address is still the service's, and its unused ports are refused.
                    #expect(seen.verdict == (otherPort == nil ? .passed : .redirected), "\(seen)")
                    #expect(seen.outcomes == (otherPort == nil ? [:] : [.unknownPort: 1]), "\(seen)")
                }
                // Whoever gets the address has it at once, with all that comes to it.
                try lab.withdraw()
                try serve("other", [ground.farPod])
                #expect(try Set(Self.backends(lab, laters, direct)) == [ground.farPod])
                try lab.startAfresh()
                let seen = try lab.receive(laters[0], by: exchange.entrance)
                #expect(seen.verdict == .passed && seen.outcomes == [:], "\(seen)")
            }
        }

        @Test("a connection outlives its frontend on its backend's node (SVC-10, BAL-3)", arguments: DirectReturn.tcp)
        func outlivingThere(_ direct: DirectReturn) throws {
            try withLab(direct.layout) { lab in
                let (ground, exchange) = (direct.ground, direct.exchange)
                let request = exchange.request(to: ground.frontend(.loadBalancer))
                let later = exchange.later(request)
                try lab.serve(.tcp, [.local], .dsr)
                try direct.expectArrival(lab, request)
                try lab.withdraw()
                let arrived = later.addressed(to: ground.localPod)
                let seen = try lab.receive(direct.dispatched(later, from: ground.otherNode, to: ground.localPod))
                switch direct.dispatch {
                case .ipip: seen.expect(.passed, arrived, .decapsulated, .answeredLocally)
                case .option: seen.expect(.passed, arrived)
                }
                try direct.expectAnswer(lab, to: request.addressed(to: ground.localPod), answering: request)
                let opening = direct.dispatched(
                    exchange.request(to: ground.frontend(.loadBalancer), port: 40001), from: ground.otherNode,
                    to: ground.localPod)
                let refused = try lab.receive(opening)
                #expect(refused.outcomes == (direct.dispatch == .ipip ? [:] : [.optionRefused: 1]), "\(refused)")
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
