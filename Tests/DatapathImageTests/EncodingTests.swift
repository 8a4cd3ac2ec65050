// The bytes in the maps: network order where it is promised, the low part first in the arena.

import CDatapathABI
import DatapathTestSupport
import NetworkTypes
import ServiceModel
import Testing

@testable import DatapathImage

@Suite struct EncodingTests {
    @Test("a frontend's key is its address in network order, IPv4 as IPv4-mapped, then port and protocol")
    func frontendKey() {
        let key = FrontendKey(.fixture("10.1.2.3:258"), protocol: .udp)
        #expect(key.bytes == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3, 1, 2, 17, 0])
        #expect(key.description == "10.1.2.3:258/UDP")
        #expect(key.address == IPAddress("10.1.2.3"))
        let other = FrontendKey(.fixture("[fd00::5]:80"), protocol: .tcp)
        #expect(other.bytes == [0xfd] + Array(repeating: 0, count: 14) + [5, 0, 80, 6, 0])
    }

    @Test("a wildcard has neither port nor protocol")
    func wildcard() {
        let key = FrontendKey(wildcard: IPAddress(ipv4: 0x0a60_0001))
        #expect(key.isWildcard && key.port == 0 && key.protocolNumber == 0)
        #expect(key.description == "10.96.0.1:*")
        #expect(!FrontendKey(.fixture("10.96.0.1:80"), protocol: .tcp).isWildcard)
    }

    @Test("keys are equal when their bytes are, and order by address, port and protocol")
    func order() {
        let texts = ["10.0.0.1:80", "10.0.0.1:443", "10.0.0.2:1", "[fd00::1]:1"]
        let keys = texts.map { FrontendKey(.fixture($0), protocol: .tcp) }
        #expect(keys.shuffled().sorted() == keys)
        #expect(Set(keys + keys).count == 4)
        #expect(keys[0] < FrontendKey(.fixture(texts[0]), protocol: .udp))
    }

    @Test("a prefix counts its length in the 16-byte form", arguments: [("10.96.0.0/12", 108), ("fd00::/108", 108)])
    func prefix(text: String, length: UInt32) throws {
        let range = try #require(CIDR(text))
        #expect(PrefixKey(range).fields.length == length)
        #expect(PrefixKey(range).range == range)
    }

    @Test("a backend reads back as what it was written from; a free element is all zero")
    func backend() {
        let record = BackendRecord(.fixture("10.1.0.7:9000"), protocol: .sctp, weight: 3)
        #expect(record.address == .fixture("10.1.0.7:9000"))
        #expect(record.fields.protocol == 132 && record.fields.weight == 3)
        #expect(record.bytes[16...] == [0x23, 0x28, 132, 0, 3, 0, 0, 0])
        #expect(BackendRecord.free.bytes.allSatisfy { $0 == 0 })
    }

    @Test(
        "names fill their fields and read back",
        arguments: [
            "default/kubernetes:https", "kube-system/kube-dns", "a/" + String(repeating: "n", count: 64),
        ])
    func serviceName(text: String) {
        let name = ServicePortName.fixture(text, protocol: .udp)
        #expect(ServiceRecord(name).name == name)
    }

    @Test("a name that is too long loses its end")
    func longName() {
        let name = ServicePortName.fixture("a/" + String(repeating: "n", count: 70), protocol: .udp)
        #expect(ServiceRecord(name).name?.service.name.count == 64)
    }

    @Test("a set is two ids to a word, the low half first")
    func sets() {
        #expect(SlotPacking.words(ofSet: [1, 2, 3]) == [0x0000_0002_0000_0001, 3])
        #expect(SlotPacking.ids(ofSet: [0x0000_0002_0000_0001, 3], count: 3) == [1, 2, 3])
    }

    private struct WidthCase: Sendable {
        var members: Int
        var width: UInt8
    }

    @Test(
        "a table takes the narrowest width that holds every position",
        arguments: [
            WidthCase(members: 2, width: 1), WidthCase(members: 256, width: 1), WidthCase(members: 257, width: 2),
            WidthCase(members: 65536, width: 2), WidthCase(members: 65537, width: 4),
        ])
    private func widths(_ given: WidthCase) {
        #expect(SlotPacking.width(forSetOf: given.members) == given.width)
    }

    @Test("positions are packed with the low byte first, and read back", arguments: [UInt8(1), 2, 4])
    func tables(width: UInt8) {
        let positions: [UInt32] = (0..<13).map { $0 * 7 }
        let words = SlotPacking.words(ofTable: positions, width: width)
        #expect(words.count == (13 * Int(width) + 7) / 8)
        #expect(SlotPacking.positions(ofTable: words[...], slots: 13, width: width) == positions)
        #expect(words[0] & 0xff == 0 && words[0] >> (8 * UInt64(width)) & 0xff == 7)
    }
}
