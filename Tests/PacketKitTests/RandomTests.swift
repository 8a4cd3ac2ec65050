// Properties that hold for all packets, on random ones.

import NetworkTypes
import PacketKit
import Testing

@Suite struct RandomTests {
    static let targets = [
        AddressAndPort(address: "198.51.100.1", port: 80), AddressAndPort(address: "2001:db8:1::1", port: 53),
    ]

    @Test("good packets come back from their bytes as the same value, without problems", arguments: 0..<40)
    func roundTrip(seed: Int) throws {
        var generator = PacketGenerator(seed: UInt64(seed), targets: Self.targets)
        for _ in 0..<50 {
            let frame = generator.frame()
            let parsed = try Frame(parsing: frame.bytes)
            #expect(parsed == frame, "\(diff(frame, parsed))")
            #expect(parsed.problems == [], "\(parsed)")
            #expect(diff(frame, frame.bytes) == "")
        }
    }

    @Test("whatever can be parsed is written again byte for byte", arguments: Mangling.allCases)
    func lossless(mangling: Mangling) {
        var generator = PacketGenerator(seed: 1, targets: Self.targets)
        var readable = 0
        for _ in 0..<200 {
            let bytes = generator.mangled(mangling).bytes
            #expect(bytes.count >= 14)
            guard let frame = try? Frame(parsing: bytes) else { continue }
            readable += 1
            #expect(frame.bytes == bytes)
            _ = "\(frame) \(diff(frame, Frame(frame.packet.swapped)))"
        }
        if mangling != .noise { #expect(readable > 0) }
    }

    @Test("every beginning of a packet is parsed without loss or not at all")
    func truncations() {
        var generator = PacketGenerator(seed: 2)
        for _ in 0..<20 {
            for bytes in PacketGenerator.truncations(of: generator.frame().bytes) {
                guard let frame = try? Frame(parsing: bytes) else { continue }
                #expect(frame.bytes == bytes)
            }
        }
    }

    @Test("the same seed gives the same packets, another seed others")
    func seeds() {
        func frames(_ seed: UInt64) -> [Frame] {
            var generator = PacketGenerator(seed: seed)
            return (0..<20).map { _ in generator.frame() }
        }
        #expect(frames(1) == frames(1))
        #expect(frames(1) != frames(2))
    }

    @Test("half of the conversations are with targets, and their packets are good ones between the two peers")
    func conversations() {
        var generator = PacketGenerator(seed: 3, targets: Self.targets)
        var withTarget = 0
        for _ in 0..<200 {
            let conversation = generator.conversation()
            if Self.targets.contains(conversation.server) { withTarget += 1 }
            for packet in conversation.packets {
                #expect(packet.problems == [])
                let peers = [packet.sender, packet.receiver]
                #expect(
                    peers == [conversation.client, conversation.server]
                        || peers == [conversation.server, conversation.client])
            }
        }
        #expect((70...130).contains(withTarget))
    }
}
