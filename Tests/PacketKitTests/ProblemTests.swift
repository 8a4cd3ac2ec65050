// What is wrong with bad packets is found, at any depth, and told where it is.

import NetworkTypes
import PacketKit
import Testing

@Suite struct ProblemTests {
    static let v4 = Packet.ip(from: "192.0.2.7", to: "198.51.100.1")
    static let v6 = Packet.ip(from: "2001:db8::7", to: "2001:db8:1::1")
    static let payload = Array("hello, world".utf8)

    /// After its bytes have been written and read.
    private func problems(_ packet: Packet, _ change: (inout Packet) -> Void = { _ in }) throws -> [String] {
        var packet = packet
        change(&packet)
        return try Packet(parsing: packet.bytes).problems.map(\.description)
    }

    @Test("wrong checksums of headers and transports")
    func checksums() throws {
        let tcp = Self.v4.tcp(from: 1, to: 2, .syn)
        #expect(try problems(tcp) { $0.ipv4?.checksum = 0x1234 } == ["ipv4.checksum: 0x1234 is wrong"])
        #expect(try problems(tcp) { $0.tcp?.checksum = .value(0x1234) } == ["tcp.checksum: 0x1234 is wrong"])
        #expect(try problems(tcp) { $0.tcp?.checksum = .absent } == ["tcp.checksum: zero is wrong"])
        #expect(try problems(tcp.withUnfinishedChecksum) == ["tcp.checksum: the pseudo-header's only"])
        #expect(try problems(Self.v4.udp(from: 1, to: 2, checksum: .absent)) == [])
        #expect(
            try problems(Self.v6.udp(from: 1, to: 2, checksum: .absent)) == [
                "udp.checksum: zero, which IPv6 does not allow"
            ])
        let sctp = Self.v6.sctp(from: 1, to: 2, [.data(Self.payload)])
        #expect(try problems(sctp) { $0.sctp?.checksum = .value(7) } == ["sctp.checksum: 0x00000007 is wrong"])
        #expect(
            try problems(Self.v6.echoRequest(identifier: 1)) { $0.icmp?.checksum = .value(9) } == [
                "icmp.checksum: 0x0009 is wrong"
            ])
    }

    @Test("a changed address or port without a new checksum")
    func forgotten() throws {
        let sent = Self.v4.udp(from: 40000, to: 53, payload: Self.payload)
        var bytes = sent.bytes
        bytes[19] = 9
        let parsed = try Packet(parsing: bytes)
        #expect(parsed.problems.map(\.kind) == [.headerChecksum, .transportChecksum])
        #expect(parsed.destination == "198.51.100.9")
    }

    @Test("lengths that contradict what is there")
    func lengths() throws {
        let udp = Self.v4.udp(from: 1, to: 2, payload: Self.payload)
        #expect(try problems(udp) { $0.ipv4?.totalLength = 999 } == ["ipv4.totalLength: 999, with 40 bytes there"])
        #expect(try problems(udp) { $0.udp?.length = 9 } == ["udp.length: 9, with 20 bytes there"])
        #expect(
            try problems(Self.v6.udp(from: 1, to: 2)) { $0.ipv6?.payloadLength = 100 } == [
                "ipv6.payloadLength: 100, with 8 bytes there"
            ])
        #expect(
            try problems(Self.v4.tcp(from: 1, to: 2, .syn)) { $0.tcp?.dataOffset = 15 } == [
                "transport 6: 20 bytes that cannot be read"
            ])
        #expect(
            try problems(.ipv6(from: "::1", to: "::2", extensions: [.hopByHop(length: 9)])) == [
                "transport 0: 8 bytes that cannot be read"
            ])
    }

    @Test("padding after a packet is no problem, within a tunnel it is one")
    func trailers() throws {
        var padded = Self.v4.udp(from: 1, to: 2)
        padded.trailer = [0, 0, 0, 0]
        #expect(try problems(padded) == [])
        #expect(try problems(padded.encapsulated(from: "10.0.0.1", to: "10.0.0.2")) == [])
        let wrong = Packet.ip(from: "10.0.0.1", to: "10.0.0.2").carrying(.packet(padded))
        #expect(try problems(wrong) == ["inner.trailer: 4 bytes after the end"])
    }

    @Test("a quoted packet may be cut, but its header must be right")
    func quotes() throws {
        let about = Self.v4.swapped.tcp(from: 80, to: 40000, .ack, payload: Self.payload)
        let error = Self.v4.portUnreachable(about: about, quoting: .headerAndEightBytes)
        #expect(try problems(error) == [])
        #expect(
            try problems(error) { $0.quoted?.ipv4?.checksum = 1 } == ["icmp.quoted.ipv4.checksum: 0x0001 is wrong"])
        let whole = Self.v4.portUnreachable(about: about)
        #expect(whole.quoted == about)
        #expect(
            try problems(whole) { $0.quoted?.tcp?.checksum = .value(1) } == [
                "icmp.quoted.tcp.checksum: 0x0001 is wrong"
            ])
        #expect(try problems(whole) { $0.quoted?.tcp?.destinationPort = 1 } == [])
        #expect(
            try problems(whole) { $0.quoted?.ipv4?.totalLength = 10 } == [
                "icmp.quoted.ipv4.totalLength: 10, with 52 bytes there"
            ])
        #expect(
            try problems(whole) { $0.quoted?.ipv4?.totalLength = 50 }.contains(
                "icmp.quoted.trailer: 2 bytes after the end"))
    }

    @Test("an error in a tunnel is quoted, cut and changed through all its levels")
    func depth() throws {
        let about = Self.v6.tcp(from: 80, to: 40000, .ack, payload: [UInt8](repeating: 7, count: 2000))
            .encapsulated(from: "10.0.0.1", to: "10.0.0.2")
        var error = Self.v4.tooBig(mtu: 1400, about: about).encapsulated(from: "10.0.0.3", to: "10.0.0.4")
        #expect(error.inner?.quoted?.inner?.destinationPort == 40000)
        #expect(error.inner?.bytes.count == 576)
        error.inner?.quoted?.inner?.destination = "2001:db8::99"
        error.inner?.mtu = 1380
        let parsed = try Packet(parsing: error.bytes)
        #expect(parsed == error)
        #expect(parsed.problems == [])
    }

    @Test("ports of a cut transport header can be read and changed")
    func cutPorts() throws {
        let about = Self.v4.tcp(from: 80, to: 40000, .ack, payload: Self.payload)
        var error = Self.v4.timeExceeded(about: about, quoting: .headerAndEightBytes)
        #expect(error.quoted?.sender == AddressAndPort(address: "192.0.2.7", port: 80))
        error.quoted?.sender = AddressAndPort(address: "203.0.113.5", port: 8080)
        #expect(try Packet(parsing: error.bytes).quoted?.sourcePort == 8080)
        #expect(error.quoted?.destinationPort == 40000)
    }

    @Test("what follows a cut header is no packet")
    func unreadable() {
        #expect(throws: UnreadablePacket.self) { try Packet(parsing: [0x45, 0, 0, 20]) }
        #expect(throws: UnreadablePacket.self) { try Packet(parsing: []) }
        #expect(throws: UnreadablePacket.self) { try Frame(parsing: [1, 2, 3]) }
        let question = Ethernet.toNode.bytes(carrying: [0, 1, 8, 0, 6, 4, 0, 1], etherType: 0x0806)
        #expect(question.count == 22)
        #expect(throws: UnreadablePacket.self) { try Frame(parsing: question) }
    }
}
