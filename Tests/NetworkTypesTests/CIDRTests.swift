// Ranges: reading, containing, covering (LBSR-6, LBSR-7, INV-1).

import NetworkTypes
import Testing

@Suite struct CIDRTests {
    struct Text: CustomTestStringConvertible {
        var given: String
        var canonical: String?
        var testDescription: String { given }
    }

    static let texts = [
        Text(given: "203.0.113.000/025", canonical: "203.0.113.0/25"),
        Text(given: "203.0.113.77/25", canonical: "203.0.113.0/25"),
        Text(given: "fd00:1:2:3::/33", canonical: "fd00:1::/33"),
        Text(given: "::/0", canonical: "::/0"), Text(given: "0.0.0.0/0", canonical: "0.0.0.0/0"),
        Text(given: "10.0.0.1/32", canonical: "10.0.0.1/32"), Text(given: "fd00::1/128", canonical: "fd00::1/128"),
        Text(given: "10.0.0.0/33"), Text(given: "fd00::/129"), Text(given: "10.0.0.0"), Text(given: "10.0.0.0/"),
        Text(given: "10.0.0.0/-1"), Text(given: "10.0.0.0/8/8"), Text(given: "bogus"), Text(given: " 10.0.0.0/8"),
    ]

    @Test(
        "LBSR-7, INV-1: a range tolerates leading zeros, masks host bits and refuses what is no range",
        arguments: texts)
    func text(_ example: Text) {
        #expect(CIDR(example.given)?.description == example.canonical)
    }

    @Test("A range contains exactly the addresses of its family with its prefix")
    func contains() throws {
        let range = try #require(CIDR("203.0.113.0/25"))
        #expect(range.contains(try #require(IPAddress("203.0.113.127"))))
        #expect(!range.contains(try #require(IPAddress("203.0.113.128"))))
        let everything = CIDR.everything(of: .ipv4)
        #expect(everything.contains(try #require(IPAddress("255.255.255.255"))))
        #expect(!everything.contains(try #require(IPAddress("fd00::1"))))
        #expect(everything.contains(range))
        #expect(!range.contains(everything))
        #expect(!CIDR.everything(of: .ipv6).contains(range))
    }

    struct Coverage: CustomTestStringConvertible {
        var ranges: [String]
        var covered: String
        var isCovered: Bool
        var testDescription: String { "\(ranges) and \(covered)" }
    }

    static let coverages = [
        Coverage(ranges: ["0.0.0.0/1", "128.0.0.0/1"], covered: "0.0.0.0/0", isCovered: true),
        Coverage(ranges: ["0.0.0.0/1", "128.0.0.0/2"], covered: "0.0.0.0/0", isCovered: false),
        Coverage(ranges: ["::/1", "8000::/2", "c000::/2"], covered: "::/0", isCovered: true),
        Coverage(ranges: ["10.0.0.0/9"], covered: "10.0.0.0/8", isCovered: false),
        Coverage(ranges: ["10.0.0.0/8"], covered: "10.3.0.0/16", isCovered: true),
        Coverage(ranges: ["10.0.0.0/25", "10.0.0.128/26", "10.0.0.192/26"], covered: "10.0.0.0/24", isCovered: true),
        Coverage(ranges: ["fd00::1/128"], covered: "fd00::/127", isCovered: false),
        Coverage(ranges: ["fd00::1/128", "fd00::/128"], covered: "fd00::/127", isCovered: true),
        Coverage(ranges: [], covered: "10.0.0.0/8", isCovered: false),
        Coverage(ranges: ["::/0"], covered: "10.0.0.0/8", isCovered: false),
    ]

    @Test(
        "LBSR-6: several ranges together cover another one exactly when no address of it is left out",
        arguments: coverages)
    func covers(_ example: Coverage) throws {
        let ranges = example.ranges.compactMap { CIDR($0) }
        #expect(ranges.count == example.ranges.count)
        #expect(ranges.covers(try #require(CIDR(example.covered))) == example.isCovered)
    }

    @Test(
        "Halves split a range in the middle, also across the 64-bit boundary",
        arguments: [
            "10.0.0.0/8", "::/0", "fd00::/63", "fd00::/64", "fd00::/65", "fd00::/127", "0.0.0.0/0", "1.2.3.4/31",
        ])
    func halves(_ text: String) throws {
        let range = try #require(CIDR(text))
        let (lower, upper) = try #require(range.halves)
        #expect(lower.address == range.address)
        #expect(lower.prefixLength == range.prefixLength + 1 && upper.prefixLength == lower.prefixLength)
        #expect(lower != upper && range.contains(lower) && range.contains(upper))
    }

    @Test("A single address has no halves")
    func single() throws {
        #expect(CIDR(try #require(IPAddress("1.2.3.4"))).halves == nil)
        #expect(CIDR(try #require(IPAddress("::1"))).halves == nil)
    }
}
