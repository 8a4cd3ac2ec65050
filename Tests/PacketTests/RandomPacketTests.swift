// Random packets from seeds: good ones, bad ones, and conversations that must come back as they went.

import Datapath
import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

extension PacketTests {
    @Suite("Random packets") struct RandomPacketTests {
        private static func targets(_ lab: Lab) throws -> [AddressAndPort] {
            let kinds = FrontendPlan.Kind.allCases
            let fronts = Ground.both.flatMap { ground in
                kinds.map { ground.frontend($0) } + [
                    AddressAndPort(address: ground.clusterIP, port: 81),
                    AddressAndPort(address: ground.unownedServiceAddress, port: 80),
                    AddressAndPort(address: ground.remotePod, port: Ground.backendPort),
                    AddressAndPort(address: ground.localPod, port: Ground.backendPort),
                ]
            }
            return fronts
        }

        private static func serve(_ lab: Lab, _ forwarding: Service.Forwarding) throws {
            for transport in TransportProtocol.allCases {
                try lab.serve(transport, [.remote, .local, .far], named: "web-\(transport)") {
                    $0.forwarding = forwarding
                }
            }
        }

        @Test(
            "are no worse afterwards, and are dropped for a reason", arguments: UInt64(1)...8,
            [Service.Forwarding.snat, .dsr])
        func good(_ seed: UInt64, _ forwarding: Service.Forwarding) throws {
            try withLab { lab in
                try Self.serve(lab, forwarding)
                var generator = PacketGenerator(seed: seed, targets: try Self.targets(lab))
                for _ in 0..<300 { try lab.expectNoWorse(generator.frame().bytes) }
            }
        }

        @Test("are no worse afterwards, bad as they are", arguments: UInt64(1)...2, Mangling.allCases)
        func bad(_ seed: UInt64, _ mangling: Mangling) throws {
            try withLab { lab in
                try Self.serve(lab, seed % 2 == 0 ? .snat : .dsr)
                var generator = PacketGenerator(seed: seed, targets: try Self.targets(lab))
                for _ in 0..<150 { try lab.expectNoWorse(generator.mangled(mangling).bytes) }
            }
        }

        @Test(
            "of conversations come to the backend whole, and its answers to the client as from the frontend",
            arguments: UInt64(1)...8, Entrance.allCases)
        func conversations(_ seed: UInt64, _ entrance: Entrance) throws {
            try withLab { lab in
                for transport in TransportProtocol.allCases {
                    try lab.serve(transport, [.remote, .local], named: "web-\(transport)")
                }
                let frontends = Ground.both.flatMap { ground in FrontendPlan.Kind.allCases.map { ground.frontend($0) } }
                var generator = PacketGenerator(seed: seed, targets: frontends)
                var served = 0
                while served < 20 {
                    let conversation = generator.conversation()
                    guard frontends.contains(conversation.server) else { continue }
                    served += 1
                    try lab.expectTranslation(of: conversation, by: entrance)
                }
            }
        }
    }
}

extension Lab {
    /// Plays a conversation: the client's packets through us, and the backend's, as it would send them, back.
    fileprivate func expectTranslation(of conversation: Conversation, by entrance: Entrance) throws {
        var client: AddressAndPort?
        var backend: AddressAndPort?
        for packet in conversation.packets {
            if packet.source == conversation.client.address {
                guard packet.hops > 1 else { return }
                let seen = try receive(packet, by: entrance)
                let after = try seen.packet
                if client == nil { (client, backend) = (after.sender, after.receiver) }
                var expected = packet.onward()
                (expected.sender, expected.receiver) = (client, backend)
                #expect(diff(expected, after) == "", "\(seen)")
            } else {
                var reply = packet
                (reply.sender, reply.receiver) = (backend, client)
                guard reply.hops > 1 else { return }
                let isLocal = Ground.both.contains { $0.localPod == backend?.address }
                let seen = try receive(reply, at: isLocal ? "pod1" : "eth0", by: isLocal ? .tc : entrance)
                #expect(diff(packet.onward(), try seen.packet) == "", "\(seen)")
            }
        }
    }
}
