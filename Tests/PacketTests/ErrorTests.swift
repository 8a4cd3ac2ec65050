// ICMP errors about flows: whoever receives one must recognise what it has sent.

import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("ICMP errors about flows (ICMP-1)") struct ErrorTests {
        static let exchanges = Exchange.all.filter { $0.entrance == .tc }
        static let kinds = ErrorKind.allCases

        @Test("from the way to the backend reach the client", arguments: exchanges, kinds)
        func aboutRequests(_ exchange: Exchange, _ kind: ErrorKind) throws {
            try withLab { lab in
                let ground = exchange.ground
                try lab.serve(exchange.transport, [.remote])
                let request = exchange.request(to: ground.frontend(.nodePort))
                let sent = try exchange.open(lab, request)
                for (source, seenSource) in [(ground.router, ground.router), (ground.remotePod, ground.node)] {
                    let error = kind.error(from: source, to: ground.node, about: sent)
                    let expected = kind.error(from: seenSource, to: ground.client, about: request.onward())
                    try lab.receive(error, by: .xdp).expect(.redirected, expected.onward(), .errorTranslated)
                }
            }
        }

        @Test("from the way to the client reach the backend", arguments: exchanges, kinds)
        func aboutReplies(_ exchange: Exchange, _ kind: ErrorKind) throws {
            try withLab { lab in
                let ground = exchange.ground
                try lab.serve(exchange.transport, [.remote])
                let request = exchange.request(to: ground.frontend(.loadBalancer))
                let sent = try exchange.open(lab, request)
                let reply = exchange.reply(to: sent)
                var restored = reply.onward()
                (restored.sender, restored.receiver) = (request.receiver, request.sender)
                for (source, seenSource) in [(ground.router, ground.router), (ground.client, ground.node)] {
                    let error = kind.error(from: source, to: ground.loadBalancerIP, about: restored)
                    let expected = kind.error(from: seenSource, to: ground.remotePod, about: reply.onward())
                    try lab.receive(error, by: .xdp).expect(.redirected, expected.onward(), .errorTranslated)
                }
            }
        }

        @Test("from the way to the client reach a backend of this node", arguments: exchanges, kinds)
        func aboutLocalReplies(_ exchange: Exchange, _ kind: ErrorKind) throws {
            try withLab { lab in
                let ground = exchange.ground
                try lab.serve(exchange.transport, [.local]) { $0.externalTrafficPolicy = .local }
                let request = exchange.request(to: ground.frontend(.loadBalancer))
                try exchange.openLocally(lab, request)
                let answer = exchange.reply(to: request)
                var original = answer
                original.sender = AddressAndPort(address: ground.localPod, port: Ground.backendPort)
                let error = kind.error(from: ground.router, to: ground.loadBalancerIP, about: answer)
                let expected = kind.error(from: ground.router, to: ground.localPod, about: original)
                try lab.receive(error).expect(.passed, expected, .errorTranslated)
            }
        }

        @Test(
            "from a backend of this node, or from the node itself, leave as about the frontend", arguments: exchanges,
            kinds)
        func aboutLocalRequests(_ exchange: Exchange, _ kind: ErrorKind) throws {
            try withLab { lab in
                let ground = exchange.ground
                try lab.serve(exchange.transport, [.local]) { $0.externalTrafficPolicy = .local }
                let request = exchange.request(to: ground.frontend(.loadBalancer))
                try exchange.openLocally(lab, request)
                var sent = request
                sent.receiver = AddressAndPort(address: ground.localPod, port: Ground.backendPort)
                for (source, seenSource) in [(ground.localPod, ground.loadBalancerIP), (ground.node, ground.node)] {
                    let error = kind.error(from: source, to: ground.client, about: sent)
                    let expected = kind.error(from: seenSource, to: ground.client, about: request)
                    try lab.send(error).expect(.passed, expected, .errorTranslated)
                }
            }
        }

        @Test("quote options and extension headers", arguments: exchanges)
        func optionsInQuotes(_ exchange: Exchange) throws {
            try withLab { lab in
                let ground = exchange.ground
                try lab.serve(exchange.transport, [.remote])
                let request = exchange.request(to: ground.frontend(.nodePort))
                let sent = try exchange.open(lab, request)
                let error = ErrorKind.timeExceeded.error(
                    from: ground.router, to: ground.node, about: sent.withOptions)
                let expected = ErrorKind.timeExceeded.error(
                    from: ground.router, to: ground.client, about: request.onward().withOptions)
                try lab.receive(error).expect(.redirected, expected.onward(), .errorTranslated)
                let outer = try lab.receive(error.withOptions)
                outer.expect(.redirected, expected.onward().withOptions, .errorTranslated)
            }
        }

        @Test("keep an absent UDP checksum absent")
        func absentChecksums() throws {
            try withLab { lab in
                let exchange = Exchange(ground: .ipv4, transport: .udp, entrance: .tc)
                try lab.serve(.udp, [.remote])
                var request = exchange.request(to: Ground.ipv4.frontend(.nodePort))
                request.udp?.checksum = .absent
                let sent = try exchange.open(lab, request)
                let error = ErrorKind.timeExceeded.error(from: Ground.ipv4.router, to: Ground.ipv4.node, about: sent)
                let expected = ErrorKind.timeExceeded.error(
                    from: Ground.ipv4.router, to: Ground.ipv4.client, about: request.onward())
                try lab.receive(error).expect(.redirected, expected.onward(), .errorTranslated)
            }
        }

        @Test("that concern no flow are left to the kernel", arguments: exchanges)
        func strangers(_ exchange: Exchange) throws {
            try withLab { lab in
                let ground = exchange.ground
                try lab.serve(exchange.transport, [.remote])
                var sent = exchange.request(to: ground.frontend(.nodePort))
                sent.sender = AddressAndPort(address: ground.node, port: 61234)
                sent.receiver = AddressAndPort(address: ground.remotePod, port: Ground.backendPort)
                let error = ErrorKind.timeExceeded.error(from: ground.router, to: ground.node, about: sent)
                try lab.receive(error, by: .xdp).expect(.passed, error)
            }
        }
    }
}

enum ErrorKind: String, CaseIterable, Sendable {
    case timeExceeded, tooBig, unreachable, shortUnreachable

    func error(from source: IPAddress, to destination: IPAddress, about packet: Packet) -> Packet {
        let outer = Packet.ip(from: source, to: destination, hops: 60, trafficClass: 0xc0)
        switch self {
        case .timeExceeded: return outer.timeExceeded(about: packet)
        case .tooBig: return outer.tooBig(mtu: 1280, about: packet)
        case .unreachable: return outer.unreachable(code: 1, about: packet)
        case .shortUnreachable: return outer.portUnreachable(about: packet, quoting: .headerAndEightBytes)
        }
    }
}

extension Packet {
    /// With a router alert (RFC 2113), or with hop-by-hop and destination options.
    var withOptions: Packet {
        var packet = self
        packet.ipv4?.options = [148, 4, 0, 0, 1, 1, 1]
        packet.ipv6?.extensions = [.hopByHop([5, 2, 0, 0, 1, 0]), .destination()]
        return packet
    }
}
