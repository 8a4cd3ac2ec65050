// Refusals: a reset for TCP, "port unreachable" for everything else, both made out of the packet that they answer.

import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("What nobody serves is refused") struct RefusalTests {
        @Test(
            "TCP with a reset that acknowledges what was sent (RFC 9293, REJ-1, REJ-4)", arguments: Exchange.tcp,
            [
                (TCPFlags.syn, [UInt8](), 1), (.syn, [1, 2, 3], 4), ([], [1, 2, 3, 4, 5], 5), ([.fin], [7], 2),
            ] as [(TCPFlags, [UInt8], UInt32)])
        func reset(_ exchange: Exchange, _ segment: (flags: TCPFlags, payload: [UInt8], length: UInt32)) throws {
            try withLab { lab in
                try lab.serve(.tcp, [])
                var request = exchange.request(to: exchange.ground.frontend(.nodePort))
                request.tcp?.flags = segment.flags
                request.tcp?.payload = segment.payload
                let expected = Exchange.reset(
                    answering: request, [.rst, .ack], acknowledgment: 0x1234_5678 + segment.length)
                let seen = try lab.receive(request, by: exchange.entrance)
                seen.expect(.redirected, expected, .noEndpoints)
                #expect(try seen.frame.ethernet == Ethernet(from: Link.eth0, to: Link.gateway))
            }
        }

        @Test("TCP that acknowledges something with a reset of that number", arguments: Exchange.tcp)
        func resetOfAcknowledgment(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(.tcp, [])
                let request = exchange.later(exchange.request(to: exchange.ground.frontend(.loadBalancer)))
                let expected = Exchange.reset(answering: request, .rst, sequence: 78)
                try lab.receive(request, by: exchange.entrance).expect(.redirected, expected, .noEndpoints)
            }
        }

        @Test("a reset is answered with nothing", arguments: Exchange.tcp)
        func noAnswerToReset(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(.tcp, [])
                var request = exchange.request(to: exchange.ground.frontend(.nodePort))
                request.tcp?.flags = .rst
                try lab.receive(request, by: exchange.entrance).expect(.dropped, nil, .noEndpoints)
            }
        }

        @Test(
            "UDP and SCTP with port unreachable", arguments: Exchange.all.filter { $0.transport != .tcp }, [0, 1, 100])
        func unreachable(_ exchange: Exchange, _ payload: Int) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [])
                let request = exchange.request(
                    to: exchange.ground.frontend(.nodePort), payload: [UInt8](repeating: 0xa5, count: payload))
                let seen = try lab.receive(request, by: exchange.entrance)
                seen.expect(.redirected, Exchange.unreachable(answering: request), .noEndpoints)
                #expect(try seen.frame.ethernet == Ethernet(from: Link.eth0, to: Link.gateway))
            }
        }

        @Test("checksums that are unfinished stay so in a reset", arguments: Ground.both)
        func unfinishedReset(_ ground: Ground) throws {
            try withLab { lab in
                try lab.serve(.tcp, [])
                let exchange = Exchange(ground: ground, transport: .tcp, entrance: .tc)
                let request = exchange.request(to: ground.frontend(.nodePort), from: ground.localPod)
                let expected = Exchange.reset(answering: request, [.rst, .ack], acknowledgment: 0x1234_5679)
                let seen = try lab.receive(request.withUnfinishedChecksum, at: "pod1")
                seen.expect(.redirected, expected.withUnfinishedChecksum, .noEndpoints)
            }
        }

        @Test("an error is right once the kernel has finished the quoted checksum", arguments: Ground.both)
        func unfinishedQuote(_ ground: Ground) throws {
            try withLab { lab in
                try lab.serve(.udp, [])
                let exchange = Exchange(ground: ground, transport: .udp, entrance: .tc)
                let request = exchange.request(to: ground.frontend(.nodePort), from: ground.localPod)
                let seen = try lab.receive(request.withUnfinishedChecksum, at: "pod1")
                #expect(seen.verdict == .redirected)
                let expected = Exchange.unreachable(answering: request)
                var finished = seen.bytes
                let place = expected.bytes.count - (request.udp?.payload.count ?? 0) - 2 + 14
                finished.replaceSubrange(place..<place + 2, with: expected.bytes[(place - 14)..<(place - 12)])
                #expect(try diff(expected, Frame(parsing: finished).packet) == "")
            }
        }

        @Test("a later fragment of what is refused is answered with nothing", arguments: Ground.both)
        func fragments(_ ground: Ground) throws {
            try withLab { lab in
                try lab.serve(.udp, [])
                let exchange = Exchange(ground: ground, transport: .udp, entrance: .tc)
                let whole = exchange.request(
                    to: ground.frontend(.nodePort), payload: [UInt8](repeating: 1, count: 100))
                let fragments = whole.fragments(of: 48, identification: 0x1111)
                let first = try lab.receive(fragments[0])
                #expect(first.outcomes == [.noEndpoints: 1])
                let second = try lab.receive(fragments[1])
                second.expect(.dropped, nil, .noEndpoints)
            }
        }
    }
}

extension Exchange {
    static func reset(
        answering request: Packet, _ flags: TCPFlags, sequence: UInt32 = 0, acknowledgment: UInt32 = 0
    ) -> Packet {
        var answer = request.swapped
        answer.hops = 64
        return answer.tcp(
            from: request.destinationPort ?? 0, to: request.sourcePort ?? 0, flags, sequence: sequence,
            acknowledgment: acknowledgment, window: 0)
    }

    /// "Port unreachable", which quotes up to 64 octets of the transport part.
    static func unreachable(answering request: Packet) -> Packet {
        errorHeader(answering: request).portUnreachable(about: request, quoting: quote(of: request))
    }

    static func tooBig(_ mtu: UInt32, answering request: Packet) -> Packet {
        errorHeader(answering: request).tooBig(mtu: mtu, about: request, quoting: quote(of: request))
    }

    private static func quote(of request: Packet) -> QuoteLimit { .bytes(request.header.byteCount + 64) }

    private static func errorHeader(answering request: Packet) -> Packet {
        switch request.header.family {
        case .ipv4: .ipv4(from: request.destination, to: request.source, dontFragment: false)
        case .ipv6: .ipv6(from: request.destination, to: request.source)
        }
    }
}
