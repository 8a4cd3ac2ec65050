// Flows: how long they last, what begins another one, and what happens when there is no room.

import BPF
import CDatapathABI
import Datapath
import Glibc
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("Flows") struct FlowLifetimeTests {
        static let tcp = Exchange.tcp

        /// How a connection may end.
        enum Ending: String, CaseIterable, Sendable {
            case resetByClient, resetByBackend, closed
        }

        @Test("a SYN after the end of a connection begins another flow (BAL-2)", arguments: tcp, Ending.allCases)
        func reuse(_ exchange: Exchange, _ ending: Ending) throws {
            try withLab { lab in
                try lab.serve(.tcp, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(.nodePort))
                let sent = try exchange.open(lab, request)
                try exchange.expectReply(lab, to: sent, answering: request)
                try exchange.finish(lab, request, sent, ending)
                try exchange.open(lab, request)
                let flows = try lab.datapath.maps.flows.entries()
                #expect(flows.map(\.value.packets) == [1])
                #expect(try lab.datapath.maps.flowReplies.count() == 1)
            }
        }

        @Test("a SYN of a living connection belongs to it", arguments: tcp)
        func repeatedOpening(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(.tcp, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(.nodePort))
                let first = try exchange.open(lab, request)
                let second = try exchange.open(lab, request)
                #expect(first.sourcePort == second.sourcePort)
                #expect(try lab.datapath.maps.flows.entries().map(\.value.packets) == [2])
            }
        }

        @Test("packets and bytes of both directions are counted", arguments: Exchange.all)
        func counters(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(.nodePort))
                let sent = try exchange.open(lab, request)
                for _ in 0..<2 { try exchange.expectReply(lab, to: sent, answering: request) }
                let flow = try #require(try lab.datapath.maps.flows.entries().first?.value)
                let reply = try #require(try lab.datapath.maps.flowReplies.entries().first?.value)
                #expect((flow.packets, flow.bytes) == (1, UInt64(request.bytes.count)))
                #expect((reply.packets, reply.bytes) == (2, 2 * UInt64(exchange.reply(to: sent).bytes.count)))
                let counters = try lab.datapath.maps.counters(ofService: flow.service_id)
                #expect(counters.connections == 1 && counters.packets == 1)
                #expect(counters.bytes == UInt64(request.bytes.count))
            }
        }

        private static let hasty = Lab.Layout.with {
            $0.packets.timeouts.tcpOpening = 1
            $0.packets.timeouts.tcpClosing = 1
            $0.packets.timeouts.datagram = 1
            $0.packets.timeouts.datagramStream = 2
        }

        @Test("end by their timers, with what leads replies to them; those in use stay")
        func timers() throws {
            try withLab(Self.hasty) { lab in
                try lab.serve(.tcp, [.remote, .local])
                try lab.serve(.udp, [.remote, .local], named: "other")
                var staying: Set<UInt16> = []
                for (index, exchange) in (Exchange.tcp + Exchange.udp).enumerated() {
                    let port = 50000 + UInt16(index) * 8
                    for (offset, ending) in Self.Ending.allCases.enumerated() {
                        _ = try exchange.converse(lab, port: port + UInt16(offset), ending)
                    }
                    _ = try exchange.converse(lab, port: port + 3, nil)
                    let silent = exchange.request(to: exchange.ground.frontend(.nodePort), port: port + 4)
                    _ = try lab.receive(silent, by: exchange.entrance)
                    if exchange.transport == .tcp { staying.insert(port + 3) }
                }
                #expect(try lab.datapath.maps.flows.count() == 40)
                #expect(try lab.datapath.maps.flowReplies.count() == 40)
                let began = ContinuousClock.now
                while try lab.datapath.maps.flows.count() > staying.count, .now - began < .seconds(20) {
                    usleep(20_000)
                }
                // Datagrams that went both ways had two seconds.
                #expect(.now - began > .milliseconds(1500))
                let left = try lab.datapath.maps.flows.entries().map { UInt16(bigEndian: $0.key.source_port_be) }
                #expect(Set(left) == staying)
                #expect(try lab.datapath.maps.flowReplies.count() == left.count)
            }
        }

        @Test("that do not fit are dropped and counted, and the others go on", arguments: Exchange.all)
        func full(_ exchange: Exchange) throws {
            try withLab(.with { $0.flows = 8 }) { lab in
                try lab.serve(exchange.transport, [.remote])
                let frontend = exchange.ground.frontend(.nodePort)
                let requests = (UInt16(50000)..<50008).map { exchange.request(to: frontend, port: $0) }
                for request in requests { try exchange.open(lab, request) }
                let ninth = try lab.receive(exchange.request(to: frontend, port: 50008), by: exchange.entrance)
                ninth.expect(.dropped, nil, .flowsFull)
                for request in requests { try exchange.open(lab, request) }
                #expect(try lab.datapath.maps.flows.count() == 8)
                #expect(try lab.datapath.maps.flowReplies.count() == 8)
            }
        }

        @Test("without a free source port are dropped and counted, and leave nothing behind", arguments: Exchange.all)
        func exhausted(_ exchange: Exchange) throws {
            try withLab(.with { $0.packets.sourcePorts = 61000...61003 }) { lab in
                try lab.serve(exchange.transport, [.remote])
                let frontend = exchange.ground.frontend(.nodePort)
                var refused = 0
                for port in UInt16(50000)..<50032 {
                    let seen = try lab.receive(exchange.request(to: frontend, port: port), by: exchange.entrance)
                    guard seen.verdict == .dropped else { continue }
                    refused += 1
                    #expect(
                        seen.outcomes[.portsExhausted]
                            == (exchange.entrance == .xdp && exchange.transport != .sctp ? 1 : 1))
                }
                #expect(refused >= 28)
                let count = try lab.datapath.maps.flows.count()
                #expect(count == 32 - refused)
                #expect(try lab.datapath.maps.flowReplies.count() == count)
            }
        }

        @Test(
            "outlive their endpoints, and a policy that would refuse them now (BAL-3, REJ-3)", arguments: Exchange.all)
        func withoutEndpoints(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(.nodePort))
                let sent = try exchange.open(lab, request)
                try lab.serve(exchange.transport, [])
                let later = try lab.receive(exchange.later(request), by: exchange.entrance)
                var expected = exchange.later(request).onward()
                (expected.sender, expected.receiver) = (sent.sender, sent.receiver)
                later.expect(.sent(exchange), expected, .sentOn)
                try exchange.expectReply(lab, to: sent, answering: request)
            }
        }

        @Test(
            "of connections outlive their frontend (SVC-10, BAL-3)",
            arguments: Exchange.all.filter { $0.transport != .udp },
            [FrontendPlan.Kind.clusterIP, .nodePort, .loadBalancer])
        func withoutFrontend(_ exchange: Exchange, _ kind: FrontendPlan.Kind) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(kind))
                let sent = try exchange.open(lab, request)
                try lab.serve(exchange.transport, [.remote]) {
                    $0.ports[0].port = 81
                    $0.ports[0].nodePort = 30081
                }
                let later = try lab.receive(exchange.later(request), by: exchange.entrance)
                var expected = exchange.later(request).onward()
                (expected.sender, expected.receiver) = (sent.sender, sent.receiver)
                #expect(later.outcomes == [.sentOn: 1], "\(later)")
                #expect(try diff(expected, later.packet) == "")
                try exchange.expectReply(lab, to: sent, answering: request)
                guard exchange.transport == .tcp, kind == .clusterIP else { return }
                let fresh = try lab.receive(
                    exchange.request(to: exchange.ground.frontend(kind), port: 40001), by: exchange.entrance)
                fresh.expect(.redirected, nil, .unknownPort)
            }
        }
    }
}

extension Exchange {
    fileprivate func finish(
        _ lab: Lab, _ request: Packet, _ sent: Packet, _ ending: PacketTests.FlowLifetimeTests.Ending
    )
        throws
    {
        var client = later(request, payload: [])
        var backend = reply(to: sent)
        switch ending {
        case .resetByClient:
            client.tcp?.flags = .rst
            _ = try lab.receive(client, by: entrance)
        case .resetByBackend:
            backend.tcp?.flags = .rst
            _ = try lab.receive(backend, by: entrance)
        case .closed:
            client.tcp?.flags = [.fin, .ack]
            backend.tcp?.flags = [.fin, .ack]
            _ = try lab.receive(client, by: entrance)
            _ = try lab.receive(backend, by: entrance)
            client.tcp?.flags = .ack
            _ = try lab.receive(client, by: entrance)
        }
    }

    /// A request and its reply; of TCP with an end, if one is wanted.
    fileprivate func converse(
        _ lab: Lab, port: UInt16, _ ending: PacketTests.FlowLifetimeTests.Ending?
    ) throws -> Packet {
        let request = request(to: ground.frontend(.nodePort), port: port)
        let sent = try lab.receive(request, by: entrance).packet
        _ = try lab.receive(reply(to: sent), by: entrance)
        if transport == .tcp, let ending { try finish(lab, request, sent, ending) }
        return sent
    }
}
