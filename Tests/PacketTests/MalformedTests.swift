// Packets that contradict themselves: they are dropped or left alone, and never made into something else.

import BPF
import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("Malformed packets") struct MalformedTests {
        /// Packets that our programs have something to do for, in a lab that serves them.
        private static func packets(_ lab: Lab, _ exchange: Exchange) throws -> [Packet] {
            let ground = exchange.ground
            let request = exchange.request(to: ground.frontend(.nodePort))
            let sent = try lab.receive(request).packet
            let error = Packet.ip(from: ground.router, to: ground.node).timeExceeded(about: sent)
            let inner = exchange.request(to: ground.frontend(.loadBalancer))
            return [
                request, request.withOptions, exchange.reply(to: sent), error, error.withOptions,
                exchange.request(to: ground.frontend(.clusterIP)),
                Packet.ip(from: ground.client, to: ground.clusterIP).echoRequest(identifier: 1, payload: [1, 2, 3]),
                ground.tunnelled(inner, from: ground.otherNode, to: ground.localPod),
                request.fragments(of: 8, identification: 9)[0],
            ]
        }

        private static let hooks: [PacketHook] = [.xdp, .tcIngress, .tcEgress]

        @Test(
            "of every shorter length pass as they are, or are dropped",
            arguments: Exchange.all.filter { $0.entrance == .tc })
        func truncated(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote, .local])
                for packet in try Self.packets(lab, exchange) {
                    for frame in PacketGenerator.truncations(of: packet.framed().bytes) {
                        for hook in Self.hooks {
                            guard let result = try? lab.runBare(hook, frame) else { continue }
                            let verdict = Verdict(result.returnValue, of: hook)
                            #expect(
                                verdict == .dropped || verdict == .passed && result.output == frame,
                                "\(hook) \(verdict): \(packet) cut to \(frame.count)")
                        }
                    }
                }
            }
        }

        @Test(
            "with shorter lengths in their headers are no worse afterwards",
            arguments: Exchange.all.filter { $0.entrance == .tc })
        func lengths(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote, .local])
                for packet in try Self.packets(lab, exchange) {
                    for length in UInt16(0)..<UInt16(packet.bytes.count + 2) {
                        var bad = packet
                        bad.ipv4?.totalLength = length
                        bad.ipv6?.payloadLength = length
                        try lab.expectNoWorse(bad.framed().bytes)
                        bad = packet
                        bad.ipv4?.headerLength = UInt8(truncatingIfNeeded: length) & 15
                        bad.tcp?.dataOffset = UInt8(truncatingIfNeeded: length) & 15
                        bad.udp?.length = length
                        try lab.expectNoWorse(bad.framed().bytes)
                    }
                }
            }
        }

        @Test("at a ClusterIP are dropped and counted, elsewhere left alone", arguments: Exchange.all)
        func counted(_ exchange: Exchange) throws {
            try withLab { lab in
                try lab.serve(exchange.transport, [.remote])
                for kind in [FrontendPlan.Kind.clusterIP, .nodePort] {
                    let packet = Packet.ip(from: exchange.ground.client, to: exchange.ground.frontend(kind).address)
                        .raw(exchange.transport.rawValue, [1, 2, 3, 4])
                    let seen = try lab.receive(packet, by: exchange.entrance)
                    if kind == .clusterIP {
                        seen.expect(.dropped, nil, .malformed)
                    } else {
                        seen.expect(.passed, packet)
                    }
                }
            }
        }
    }
}

extension Lab {
    /// Runs a frame through every hook: what comes out must have no problem that did not go in, must be what went in if
    /// it passed untouched, and every drop must have been counted as one.
    func expectNoWorse(_ frame: [UInt8], from place: SourceLocation = #_sourceLocation) throws {
        let before = Set(((try? Frame(parsing: frame))?.problems ?? []).map(\.severity))
        for hook in [PacketHook.xdp, .tcIngress, .tcEgress] {
            guard let seen = try? run(hook, frame) else { continue }
            switch seen.verdict {
            case .dropped:
                let drops = seen.outcomes.keys.filter { [.dropped, .refused].contains($0.effect) }
                #expect(!drops.isEmpty, "dropped without a reason: \(seen) from \(frame.hex)", sourceLocation: place)
            case .unknown: Issue.record("\(seen)", sourceLocation: place)
            case .passed where seen.bytes == frame: break
            case .passed, .redirected, .returned:
                guard let after = try? seen.frame else {
                    Issue.record("nothing that can be read from \(frame.hex)", sourceLocation: place)
                    continue
                }
                let new = after.problems.filter { !before.contains($0.severity) }
                #expect(new == [], "\(seen) from \(frame.hex)", sourceLocation: place)
            }
        }
    }
}

extension PacketProblem {
    /// Problems that may become each other: a checksum that nobody will finish is a wrong one.
    fileprivate var severity: String {
        switch kind {
        case .transportChecksum, .unfinishedChecksum: "transport checksum"
        case .headerChecksum, .length, .unreadable: "\(kind)"
        }
    }
}

extension [UInt8] {
    var hex: String {
        map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
