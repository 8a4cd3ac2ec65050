// Packets in fragments.

import PacketKit
import Testing

@Suite struct FragmentTests {
    static let packets: [Packet] = [
        Packet.ip(from: "192.0.2.7", to: "198.51.100.1"), Packet.ip(from: "2001:db8::7", to: "2001:db8:1::1"),
    ].map { $0.udp(from: 40000, to: 53, payload: (0..<100).map { $0 }) }

    @Test("fragments carry the packet, only the first has ports, and none has problems", arguments: packets)
    func fragments(_ packet: Packet) throws {
        let fragments = packet.fragments(of: 44, identification: 7)
        #expect(fragments.map { $0.content.bytes(in: $0.header).count } == [40, 40, 28])
        #expect(fragments.flatMap { $0.content.bytes(in: $0.header) } == packet.content.bytes(in: packet.header))
        #expect(fragments.map(\.destinationPort) == [53, nil, nil])
        for fragment in fragments {
            #expect(try Packet(parsing: fragment.bytes) == fragment)
            #expect(fragment.problems == [])
            #expect(fragment.header.isFragment)
        }
    }

    @Test("a fragment header on a whole packet changes nothing but the header", arguments: packets)
    func atomic(_ packet: Packet) throws {
        let fragments = packet.fragments(of: 1000, identification: 7)
        #expect(fragments.count == 1)
        #expect(fragments[0].content == packet.content)
        #expect(fragments[0].problems == [])
    }
}
