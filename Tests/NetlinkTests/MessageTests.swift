// Framing of netlink messages, and decoding of what is cut off or unknown.

import NetworkTypes
import Testing

@testable import Netlink

@Suite("Netlink message")
struct MessageTests {
    private struct Pair: BitwiseCopyable { var first: UInt16, second: UInt16 }

    @Test("A request is read back as the message it is")
    func roundTrip() throws {
        var request = NetlinkRequest(type: 20, flags: 0x300, payload: Pair(first: 7, second: 8))
        request.appendAttribute(1, [0xaa])
        request.appendAttribute(2, [1, 2, 3, 4])
        let bytes = request.bytes(sequence: 9)
        #expect(bytes.count == 16 + 4 + 8 + 8)
        let message = try #require(NetlinkMessage.messages(in: bytes[...]).first)
        #expect((message.type, message.flags, message.sequence) == (20, 0x301, 9))
        #expect(message.payload.load(UInt16.self, at: 2) == 8)
        let attributes = message.attributes(after: 4)
        #expect(attributes.mapValues { Array($0) } == [1: [0xaa], 2: [1, 2, 3, 4]])
    }

    @Test("Several messages in one datagram are found, up to the one that is cut off")
    func truncation() {
        let one = NetlinkRequest(type: 1, flags: 0, payload: UInt8(5)).bytes(sequence: 1)
        let datagram = one + one + one
        #expect(NetlinkMessage.messages(in: datagram[...]).count == 3)
        for length in 0..<datagram.count {
            #expect(NetlinkMessage.messages(in: datagram[..<length]).count == length / one.count)
        }
    }

    @Test("An attribute whose length is too small or too large ends the list")
    func badAttributes() {
        #expect(NetlinkMessage.attributes(in: [3, 0, 1, 0]).isEmpty)
        #expect(NetlinkMessage.attributes(in: [9, 0, 1, 0, 5, 5, 5, 5]).isEmpty)
        #expect(NetlinkMessage.attributes(in: [0, 0, 0, 0]).isEmpty)
        #expect(NetlinkMessage.attributes(in: [4]).isEmpty)
    }

    @Test("The flag bits above an attribute's kind are ignored")
    func nestedFlag() {
        #expect(NetlinkMessage.attributes(in: [5, 0, 3, 0x80, 1, 0, 0, 0])[3].map { Array($0) } == [1])
    }

    @Test("A header that is cut off is no interface, address or socket")
    func shortPayloads() {
        let message = NetlinkMessage(type: 16, flags: 0, sequence: 0, payload: [1, 2, 3])
        #expect(NetworkInterface(message) == nil)
        #expect(InterfaceAddress(message, interfaceNames: [:]) == nil)
        #expect(KernelSocket(message, transport: .tcp) == nil)
    }

    @Test("The mounts of network namespaces are found among others")
    func mounts() {
        let info = """
            24 1 0:5 / /proc rw shared:2 - proc proc rw
            300 25 0:4 net:[4026532299] /run/netns/blue rw shared:9 - nsfs nsfs rw
            301 25 0:4 mnt:[4026532300] /run/other rw - nsfs nsfs rw
            302 25 0:4 net:[x] /run/netns/odd rw - nsfs nsfs rw
            """
        let mounts = NamespaceCensus.mounted(in: info)
        #expect(mounts.map(\.inode) == [4026532299])
        #expect(mounts.map(\.path) == ["/run/netns/blue"])
    }
}
