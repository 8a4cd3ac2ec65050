// Packets that another implementation made: dumps of Scapy 2.8.0, which shares no code with the kit.

import NetworkTypes
import PacketKit
import Testing

@Suite struct KnownPacketTests {
    struct Known: CustomTestStringConvertible, Sendable {
        var name: String
        var packet: Packet
        var hex: String
        var testDescription: String { name }

        init(_ name: String, _ packet: Packet, _ hex: String) {
            self.name = name
            self.packet = packet
            self.hex = hex
        }
    }

    static let client4: IPAddress = "192.0.2.7"
    static let vip4: IPAddress = "198.51.100.1"
    static let client6: IPAddress = "2001:db8::7"
    static let vip6: IPAddress = "2001:db8:1::1"
    static let v4 = Packet.ip(from: client4, to: vip4)
    static let v6 = Packet.ip(from: client6, to: vip6)
    static let outer = Packet.ip(from: "10.0.0.1", to: "10.0.0.2", hops: 9, trafficClass: 1)
    static let hello = Array("hello".utf8)

    static func digits(_ count: Int) -> [UInt8] { Array("0123456789abcdefghij".utf8.prefix(count)) }

    static func syn(in ip: Packet) -> Packet {
        ip.tcp(
            from: 40000, to: 80, .syn, sequence: 0x0102_0304, window: 64240,
            options: [
                .mss(1460), .selectiveAcknowledgmentsPermitted, .timestamps(1000, echo: 0), .noOperation,
                .windowScale(7),
            ])
    }

    static func data(in ip: Packet) -> Packet {
        ip.tcp(
            from: 40000, to: 80, [.psh, .ack], sequence: 0x0102_0305, acknowledgment: 0x0a0b_0c0d, window: 501,
            payload: hello)
    }

    static func udp(in ip: Packet) -> Packet { ip.udp(from: 5353, to: 53, payload: hello) }

    /// What errors are about: on its way back.
    static func answer(in ip: Packet) -> Packet {
        ip.swapped.tcp(from: 80, to: 40000, .ack, sequence: 5, acknowledgment: 6, window: 501, payload: hello)
    }

    static let fragments = Packet.ipv4(from: client4, to: vip4).udp(from: 5353, to: 53, payload: digits(20))
        .fragments(of: 16, identification: 77)

    static let known = [
        Known(
            "SYN in IPv4",
            syn(in: v4),
            "4500003c0000400040064e80c0000207c63364019c4000500102030400000000a002faf0bc540000020405b40402080a"
                + "000003e80000000001030307"),
        Known(
            "SYN in IPv6",
            syn(in: v6),
            "600000000028064020010db800000000000000000000000720010db80001000000000000000000019c40005001020304"
                + "00000000a002faf04d160000020405b40402080a000003e80000000001030307"),
        Known(
            "data in IPv4",
            data(
                in: .ipv4(
                    from: client4, to: vip4, hops: 3, trafficClass: 0xb9, identification: 0x1234, dontFragment: false)),
            "45b9002d123400000306b8a2c0000207c63364019c400050010203050a0b0c0d501801f5c714000068656c6c6f"),
        Known(
            "data in IPv6",
            data(in: .ipv6(from: client6, to: vip6, hops: 3, trafficClass: 0xb9, flowLabel: 0x12345)),
            "6b9123450019060320010db800000000000000000000000720010db80001000000000000000000019c40005001020305"
                + "0a0b0c0d501801f557d6000068656c6c6f"),
        Known(
            "UDP in IPv4",
            udp(in: v4),
            "450000210000400040114e90c0000207c633640114e90035000dbaa768656c6c6f"),
        Known(
            "UDP in IPv6",
            udp(in: v6),
            "60000000000d114020010db800000000000000000000000720010db800010000000000000000000114e90035000d4b69"
                + "68656c6c6f"),
        Known(
            "UDP without checksum",
            v4.udp(from: 5353, to: 53, payload: hello, checksum: .absent),
            "450000210000400040114e90c0000207c633640114e90035000d000068656c6c6f"),
        Known(
            "IPv4 options",
            Packet.ipv4(from: client4, to: vip4, options: [148, 4, 0, 0]).udp(from: 5353, to: 53),
            "46000020000040004011b98cc0000207c63364019404000014e900350008fe83"),
        Known(
            "IPv6 extension headers",
            udp(
                in: .ipv6(
                    from: client6, to: vip6,
                    extensions: [.hopByHop(), .routing(segmentsLeft: 1, via: ["2001:db8:2::9"]), .destination()])),
            "600000000035004020010db800000000000000000000000720010db80001000000000000000000012b00010400000000"
                + "3c0200010000000020010db8000200000000000000000009110001040000000014e90035000d4b6068656c6c6f"),
        Known(
            "first fragment of IPv4",
            fragments[0],
            "45000024004d200040116e40c0000207c633640114e90035001cfe513031323334353637"),
        Known(
            "last fragment of IPv4",
            fragments[1],
            "45000020004d000240118e42c0000207c633640138396162636465666768696a"),
        Known(
            "fragment of IPv6",
            Packet.ipv6(from: client6, to: vip6, extensions: [.fragment(offset: 2, more: true, identification: 77)])
                .raw(17, digits(16)),
            "6000000000182c4020010db800000000000000000000000720010db8000100000000000000000001110000110000004d"
                + "30313233343536373839616263646566"),
        Known(
            "SCTP INIT",
            v4.sctp(from: 5000, to: 36412, [.initiation(tag: 99)]),
            "450000340000400040844e0ac0000207c633640113888e3c0000000060ea79c9010000140000006300010000000affff"
                + "00000001"),
        Known(
            "SCTP DATA",
            v6.sctp(from: 5000, to: 36412, tag: 99, [.data(hello)]),
            "600000000024844020010db800000000000000000000000720010db800010000000000000000000113888e3c00000063"
                + "5c6a5f880003001500000001000000000000000068656c6c6f000000"),
        Known(
            "echo request in ICMPv4",
            v4.echoRequest(identifier: 7, payload: hello),
            "450000210000400040014ea0c0000207c63364010800b4250007000168656c6c6f"),
        Known(
            "echo request in ICMPv6",
            v6.echoRequest(identifier: 7, payload: hello),
            "60000000000d3a4020010db800000000000000000000000720010db80001000000000000000000018000e06200070001"
                + "68656c6c6f"),
        Known(
            "echo reply in ICMPv6",
            v6.echoReply(identifier: 7, sequence: 2, payload: hello),
            "60000000000d3a4020010db800000000000000000000000720010db80001000000000000000000018100df6100070002"
                + "68656c6c6f"),
        Known(
            "fragmentation needed",
            v4.tooBig(mtu: 1400, about: answer(in: v4), quoting: .headerAndEightBytes),
            "450000380000400040014e89c0000207c633640103045aee000005784500002d0000400040064e8fc6336401c0000207"
                + "00509c4000000005"),
        Known(
            "packet too big",
            v6.tooBig(mtu: 1400, about: answer(in: v6)),
            "6000000000493a4020010db800000000000000000000000720010db80001000000000000000000010200364f00000578"
                + "600000000019064020010db800010000000000000000000120010db800000000000000000000000700509c4000000005"
                + "00000006501001f571f2000068656c6c6f"),
        Known(
            "port unreachable in ICMPv4",
            v4.portUnreachable(about: answer(in: v4)),
            "450000490000400040014e78c0000207c63364010303e958000000004500002d0000400040064e8fc6336401c0000207"
                + "00509c400000000500000006501001f5e130000068656c6c6f"),
        Known(
            "port unreachable in ICMPv6",
            v6.portUnreachable(about: answer(in: v6)),
            "6000000000493a4020010db800000000000000000000000720010db800010000000000000000000101043cc300000000"
                + "600000000019064020010db800010000000000000000000120010db800000000000000000000000700509c4000000005"
                + "00000006501001f571f2000068656c6c6f"),
        Known(
            "time exceeded in ICMPv4",
            v4.timeExceeded(about: answer(in: v4), quoting: .headerAndEightBytes),
            "450000380000400040014e89c0000207c63364010b00586a000000004500002d0000400040064e8fc6336401c0000207"
                + "00509c4000000005"),
        Known(
            "time exceeded in ICMPv6",
            v6.timeExceeded(about: answer(in: v6), quoting: .headerAndEightBytes),
            "6000000000383a4020010db800000000000000000000000720010db8000100000000000000000001030042a800000000"
                + "600000000019064020010db800010000000000000000000120010db800000000000000000000000700509c4000000005"),
        Known(
            "IPIP",
            syn(in: v4).encapsulated(in: outer),
            "450100500000400009045da70a0000010a0000024500003c0000400040064e80c0000207c63364019c40005001020304"
                + "00000000a002faf0bc540000020405b40402080a000003e80000000001030307"),
        Known(
            "IPv6 in IPv4",
            udp(in: v6).encapsulated(in: outer),
            "450100490000400009295d890a0000010a00000260000000000d114020010db800000000000000000000000720010db8"
                + "00010000000000000000000114e90035000d4b6968656c6c6f"),
        Known(
            "IPv6 in IPv6",
            udp(in: v6).encapsulated(from: "fd00::1", to: "fd00::2", hops: 9),
            "6000000000352909fd000000000000000000000000000001fd00000000000000000000000000000260000000000d1140"
                + "20010db800000000000000000000000720010db800010000000000000000000114e90035000d4b6968656c6c6f"),
    ]

    @Test("bytes are those that another implementation makes, and are read as the same packet", arguments: known)
    func bytes(_ known: Known) throws {
        #expect(known.packet.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() == known.hex)
        #expect(try Packet(parsing: known.packet.bytes) == known.packet)
        #expect(known.packet.problems == [])
    }

    @Test("tags of 802.1ad and 802.1Q are in front of the packet")
    func tags() {
        let ethernet = Ethernet(
            from: "02:00:00:00:00:01", to: "02:00:00:00:00:02", vlans: [.service(100), VLANTag(7, priority: 5)])
        let head: [UInt8] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xa8, 0, 100, 0x81, 0, 0xa0, 7, 8, 0]
        #expect(Self.v4.bytes(ethernet: ethernet) == head + Self.v4.bytes)
    }

    @Test("UDP's checksum is never zero when there is one (RFC 768)")
    func zero() throws {
        let blank = Self.v4.udp(from: 5353, to: 53, payload: [0, 0])
        let packet = Self.v4.udp(from: 5353, to: 53, payload: Array(blank.bytes[26..<28]))
        #expect(packet.bytes[26..<28] == [0xff, 0xff])
        #expect(try Packet(parsing: packet.bytes) == packet)
    }

    @Test("the checksum's own examples: RFC 1071, section 3, and the check value of CRC-32C")
    func checksums() {
        #expect(InternetChecksum.sum([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]) == 0xddf2)
        #expect(InternetChecksum.checksum([0x45]) == 0xbaff)
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xe306_9283)
    }
}
