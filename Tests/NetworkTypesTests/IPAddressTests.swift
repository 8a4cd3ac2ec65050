// Reading and writing addresses (EP-20, INV-1).

import NetworkTypes
import Testing

@Suite struct IPAddressTests {
    struct Text: CustomTestStringConvertible {
        var given: String
        var canonical: String
        var testDescription: String { given }
    }

    static let texts = [
        Text(given: "10.180.00.001", canonical: "10.180.0.1"),
        Text(given: "172.30.0.041", canonical: "172.30.0.41"),
        Text(given: "fd00:0:0::1", canonical: "fd00::1"),
        Text(given: "FD00:0:0:0:0:0:0:0", canonical: "fd00::"),
        Text(given: "::", canonical: "::"),
        Text(given: "2001:db8:0:0:1:0:0:1", canonical: "2001:db8::1:0:0:1"),
        Text(given: "2001:db8:0:1:1:1:1:1", canonical: "2001:db8:0:1:1:1:1:1"),
        Text(given: "::ffff:1.2.3.4", canonical: "1.2.3.4"),
        Text(given: "64:ff9b::1.2.3.4", canonical: "64:ff9b::102:304"),
    ]

    @Test("EP-20, INV-1: an address is written in its canonical form however sloppily it was given", arguments: texts)
    func canonical(_ text: Text) {
        #expect(IPAddress(text.given)?.description == text.canonical)
        #expect(IPAddress(text.canonical) == IPAddress(text.given))
    }

    @Test(
        "INV-1: text that is no address is refused",
        arguments: [
            "", " ", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.-4", "1..2.3", " 1.2.3.4", "1.2.3.4 ", "0x1.2.3.4",
            "::1::",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", "g::", "fe80::1%eth0", "[::1]",
            "1.2.3.4::", ":1", "1:", ":::",
        ])
    func refused(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("The bytes of an address are in network order and lead back to it")
    func bytes() {
        let address = IPAddress(ipv4: 0x0a01_0203)
        #expect(address.bytes == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 1, 2, 3])
        #expect(IPAddress(bytes: address.bytes) == address)
        #expect(IPAddress(bytes: [1, 2, 3]) == nil)
    }

    struct Class: CustomTestStringConvertible {
        var text: String
        var family: AddressFamily
        var isLoopback = false
        var isUnspecified = false
        var isLinkLocal = false
        var isMulticast = false
        var testDescription: String { text }
    }

    static let classes = [
        Class(text: "127.255.0.1", family: .ipv4, isLoopback: true),
        Class(text: "::1", family: .ipv6, isLoopback: true),
        Class(text: "0.0.0.0", family: .ipv4, isUnspecified: true),
        Class(text: "::", family: .ipv6, isUnspecified: true),
        Class(text: "169.254.3.4", family: .ipv4, isLinkLocal: true),
        Class(text: "febf::1", family: .ipv6, isLinkLocal: true), Class(text: "fec0::1", family: .ipv6),
        Class(text: "224.0.0.1", family: .ipv4, isMulticast: true),
        Class(text: "ff02::1", family: .ipv6, isMulticast: true), Class(text: "10.0.0.1", family: .ipv4),
    ]

    @Test("An address knows its family and its special ranges", arguments: classes)
    func special(_ example: Class) throws {
        let address = try #require(IPAddress(example.text))
        #expect(address.family == example.family)
        #expect(address.isLoopback == example.isLoopback)
        #expect(address.isUnspecified == example.isUnspecified)
        #expect(address.isLinkLocal == example.isLinkLocal)
        #expect(address.isMulticast == example.isMulticast)
    }

    @Test("Unspecified, multicast and broadcast addresses are not those of a host")
    func hosts() {
        for text in ["0.0.0.0", "::", "224.0.0.1", "255.255.255.255", "ff02::1", "::ffff:0.0.0.0"] {
            #expect(IPAddress(text)?.isHost == false, "\(text)")
        }
        for text in ["127.0.0.1", "10.0.0.255", "169.254.1.1", "255.255.255.254", "::1", "fe80::1", "fd00::"] {
            #expect(IPAddress(text)?.isHost == true, "\(text)")
        }
    }

    @Test("Addresses are ordered as numbers, not as text")
    func order() throws {
        let texts = ["2001:db8::1", "10.0.0.10", "10.0.0.9", "fd00::2", "fd00::10"]
        let sorted = texts.compactMap { IPAddress($0) }.sorted().map(\.description)
        #expect(sorted == ["10.0.0.9", "10.0.0.10", "2001:db8::1", "fd00::2", "fd00::10"])
    }
}
