// Unused ports of load-balancer addresses and ExternalIPs, and echo requests to them: answered where the kernel would
// send the packet back to the router that it came from, and left alone where somebody may have the address (decision 12).

import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("Unused ports of load-balancer addresses and ExternalIPs") struct UnusedPortTests {
        static let kinds = [FrontendPlan.Kind.loadBalancer, .externalIP]

        /// Who has the address of an ExternalIP.
        enum Holder: String, CaseIterable, Sendable {
            case node, nodeAtOtherDevice, knownNeighbour, unknownNeighbour, hostBehindOtherDevice

            func address(_ ground: Ground) -> IPAddress {
                let isIPv4 = ground.family == .ipv4
                return switch self {
                case .node: ground.node
                case .nodeAtOtherDevice: ground.nodeAtFarSide
                case .knownNeighbour: ground.otherNode
                case .unknownNeighbour: isIPv4 ? "192.0.2.77" : "2001:db8::77"
                case .hostBehindOtherDevice: isIPv4 ? "203.0.113.3" : "2001:db8:1::3"
                }
            }
        }

        @Test(
            "are refused to clients from outside, and not sent back to the router (REJ-4)", arguments: Exchange.all,
            kinds)
        func refused(_ exchange: Exchange, _ kind: FrontendPlan.Kind) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                var frontend = exchange.ground.frontend(kind)
                frontend.port = 81
                let request = exchange.request(to: frontend)
                try lab.receive(request, by: exchange.entrance)
                    .expect(.redirected, Self.refusal(of: request), .unknownPort)
            }
        }

        @Test("and so are the other protocols of a port", arguments: Exchange.tcp + Exchange.udp, kinds)
        func otherProtocol(_ exchange: Exchange, _ kind: FrontendPlan.Kind) throws {
            try withLab { lab in
                try lab.serve(exchange.transport == .tcp ? .udp : .tcp, [.remote])
                let request = exchange.request(to: exchange.ground.frontend(kind))
                try lab.receive(request, by: exchange.entrance)
                    .expect(.redirected, Self.refusal(of: request), .unknownPort)
            }
        }

        @Test("an echo request is answered", arguments: Ground.both, kinds)
        func echo(_ ground: Ground, _ kind: FrontendPlan.Kind) throws {
            try withLab { lab in
                try lab.serve(.tcp, [.remote])
                let request = Self.echo(from: ground.client, to: ground.frontend(kind).address)
                var expected = request.swapped.echoReply(identifier: 7, sequence: 3, payload: Self.payload)
                expected.hops = 64
                try lab.receive(request).expect(.redirected, expected, .echoAnswered)
            }
        }

        @Test("where there is no route, too", arguments: Exchange.all)
        func noRoute(_ exchange: Exchange) throws {
            try withLab { lab in
                let address = exchange.ground.lostPod
                try lab.serve(exchange.transport, [.remote]) { $0.externalIPs = [address] }
                let request = exchange.request(to: AddressAndPort(address: address, port: 81))
                try lab.receive(request, by: exchange.entrance)
                    .expect(.redirected, Self.refusal(of: request), .unknownPort)
            }
        }

        @Test(
            "are left alone where somebody has the address (ICMP-3, PORT-3, COEX-3)", arguments: Exchange.all,
            Holder.allCases)
        func othersAddress(_ exchange: Exchange, _ holder: Holder) throws {
            try withLab { lab in
                let address = holder.address(exchange.ground)
                try lab.serve(exchange.transport, [.remote]) { $0.externalIPs = [address] }
                let request = exchange.request(to: AddressAndPort(address: address, port: 22))
                try lab.receive(request, by: exchange.entrance).expect(.passed, request)
                let ping = Self.echo(from: exchange.ground.client, to: address)
                try lab.receive(ping).expect(.passed, ping)
                try exchange.open(lab, exchange.request(to: AddressAndPort(address: address, port: Ground.port)))
            }
        }

        @Test(
            "are left alone for pods, as at their sockets", arguments: Exchange.all.filter { $0.entrance == .tc }, kinds
        )
        func pods(_ exchange: Exchange, _ kind: FrontendPlan.Kind) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                var frontend = exchange.ground.frontend(kind)
                frontend.port = 81
                let request = exchange.request(to: frontend, from: exchange.ground.localPod)
                try lab.receive(request, at: "pod1").expect(.passed, request)
                // A pod's address at the outer device: its class is by its address.
                try lab.receive(request, at: "eth0").expect(.passed, request)
            }
        }

        @Test("an address that is a ClusterIP as well refuses pods, too (SVC-12)", arguments: Ground.both)
        func clusterIPToo(_ ground: Ground) throws {
            try withLab { lab in
                try lab.serve(.tcp, [.remote]) { $0.externalIPs = [ground.clusterIP] }
                let exchange = Exchange(ground: ground, transport: .tcp, entrance: .tc)
                let request = exchange.request(
                    to: AddressAndPort(address: ground.clusterIP, port: 81), from: ground.localPod)
                try lab.receive(request, at: "pod1").expect(.redirected, nil, .unknownPort)
            }
        }

        @Test("errors and fragments that nobody knows end there, instead of going round", arguments: Ground.both)
        func strays(_ ground: Ground) throws {
            try withLab { lab in
                try lab.serve(.udp, [.remote])
                let exchange = Exchange(ground: ground, transport: .udp, entrance: .tc)
                var frontend = ground.frontend(.loadBalancer)
                frontend.port = 81
                let request = exchange.request(to: frontend, payload: [UInt8](repeating: 1, count: 100))
                let part = request.fragments(of: 48, identification: 0x4242)[1]
                try lab.receive(part).expect(.dropped, nil, .fragmentUnknown)
                let error = Packet.ip(from: ground.router, to: frontend.address)
                    .portUnreachable(about: exchange.reply(to: request))
                try lab.receive(error).expect(.dropped, nil, .unknownPort)
            }
        }

        private static let payload: [UInt8] = [1, 2, 3]

        private static func echo(from client: IPAddress, to address: IPAddress) -> Packet {
            Packet.ip(from: client, to: address).echoRequest(identifier: 7, sequence: 3, payload: payload)
        }

        private static func refusal(of request: Packet) -> Packet {
            request.tcp == nil
                ? Exchange.unreachable(answering: request)
                : Exchange.reset(answering: request, [.rst, .ack], acknowledgment: 0x1234_5679)
        }
    }
}
