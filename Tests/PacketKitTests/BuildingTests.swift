// Packets as tests write them down, and back.

import NetworkTypes
import PacketKit
import Testing

@Suite struct BuildingTests {
    struct Sample: CustomTestStringConvertible {
        var name: String
        var packet: Packet
        var testDescription: String { name }

        init(_ name: String, _ packet: Packet) {
            self.name = name
            self.packet = packet
        }
    }

    static let v4 = Packet.ip(from: "192.0.2.7", to: "198.51.100.1")
    static let v6 = Packet.ip(from: "2001:db8::7", to: "2001:db8:1::1", hops: 3, trafficClass: 0xb9)
    static let payload = Array("hello".utf8)

    static let samples = [v4, v6].flatMap { ip in
        let syn = ip.tcp(from: 40000, to: 80, [.syn], options: [.mss(1460), .windowScale(7)])
        return [
            Sample("SYN", syn),
            Sample("data", ip.tcp(from: 40000, to: 80, [.psh, .ack], sequence: 77, payload: payload)),
            Sample("UDP", ip.udp(from: 5353, to: 53, payload: payload)),
            Sample("SCTP INIT", ip.sctp(from: 5000, to: 36412, [.initiation(tag: 99)])),
            Sample("SCTP DATA", ip.sctp(from: 5000, to: 36412, tag: 99, [.data(payload)])),
            Sample("echo request", ip.echoRequest(identifier: 7, payload: payload)),
            Sample("echo reply", ip.echoReply(identifier: 7, payload: payload)),
            Sample("port unreachable", ip.portUnreachable(about: syn.swapped)),
            Sample("too big", ip.tooBig(mtu: 1400, about: syn, quoting: .headerAndEightBytes)),
            Sample("time exceeded", ip.timeExceeded(about: ip.udp(from: 1, to: 2), quoting: .headerAndEightBytes)),
            Sample("in IPv4", syn.encapsulated(from: "10.0.0.1", to: "10.0.0.2", hops: 9)),
            Sample("in IPv6", syn.encapsulated(from: "fd00::1", to: "fd00::2", trafficClass: 1)),
            Sample("no protocol", ip),
        ]
    }

    @Test("a parsed packet is the one that was built, and has no problems", arguments: samples)
    func parsing(_ sample: Sample) throws {
        let parsed = try Packet(parsing: sample.packet.bytes)
        #expect(parsed == sample.packet, "\(diff(sample.packet, parsed))")
        #expect(parsed.problems == [])
        let frame = sample.packet.framed(
            Ethernet(from: "02:00:00:00:00:0a", to: "02:00:00:00:00:0b", vlans: [.service(100), VLANTag(7)]))
        #expect(try Frame(parsing: frame.bytes) == frame)
        #expect(try Frame(parsing: frame.padded(to: 128).bytes) == frame.padded(to: 128))
    }

    @Test("one field of what was sent is changed to say what is expected")
    func expectation() throws {
        let sent = Self.v4.tcp(from: 40000, to: 80, [.syn]).framed()
        var expected = sent
        expected.receiver = AddressAndPort(address: "10.1.0.9", port: 8080)
        expected.hops -= 1
        expected.ethernet = sent.ethernet.swapped
        let received = try Frame(parsing: expected.bytes)
        #expect(received.destination == "10.1.0.9")
        #expect(received.destinationPort == 8080)
        #expect(
            diff(sent, received) == """
                ethernet.source: expected 02:00:00:00:00:01, actual 02:00:00:00:00:02
                ethernet.destination: expected 02:00:00:00:00:02, actual 02:00:00:00:00:01
                ipv4.destination: expected 198.51.100.1, actual 10.1.0.9
                ipv4.hops: expected 64, actual 63
                tcp.destinationPort: expected 80, actual 8080
                """)
        #expect(diff(expected, received.bytes) == "")
    }

    @Test("unfinished checksums are the sum of the pseudo-header")
    func unfinished() throws {
        let packet = Self.v4.udp(from: 1, to: 2, payload: Self.payload).withUnfinishedChecksum
        let sum = InternetChecksum.sum([192, 0, 2, 7, 198, 51, 100, 1, 0, 17, 0, 13])
        #expect(packet.bytes[26...27].elementsEqual([UInt8(sum >> 8), UInt8(sum & 255)]))
        let parsed = try Packet(parsing: packet.bytes)
        #expect(parsed == packet)
        #expect(parsed.problems.map(\.kind) == [.unfinishedChecksum])
    }
}
