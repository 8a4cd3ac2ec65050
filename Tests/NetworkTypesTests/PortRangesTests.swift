// Sets of ports in the kernel's words.

import NetworkTypes
import Testing

@Suite("Port ranges")
struct PortRangesTests {
    @Test(
        "are read as the kernel writes them, and joined where they touch",
        arguments: [
            ("", ""), ("\n", ""), ("8080\n", "8080"), ("1-3,5", "1-3,5"), ("5,1-3,4", "1-5"), ("1-10,3-4", "1-10"),
            (" 61000-65535 ", "61000-65535"), ("0,65535", "0,65535"),
        ])
    func reading(_ text: String, _ expected: String) {
        #expect(PortRanges(text)?.description == expected)
    }

    @Test("anything else is refused", arguments: ["x", "5-", "-5", "7-3", "65536", "1-2-3", "1.5"])
    func refusing(_ text: String) {
        #expect(PortRanges(text) == nil)
    }

    @Test("union, difference and intersection are those of sets of ports", arguments: 0..<200)
    func algebra(_ seed: Int) {
        var generator = SystemRandomNumberGenerator()
        func random() -> (PortRanges, Set<UInt16>) {
            let ranges = (0..<Int.random(in: 0...4, using: &generator)).map { _ -> ClosedRange<UInt16> in
                let first = UInt16.random(in: 65500...65535, using: &generator)
                return first...UInt16.random(in: first...65535, using: &generator)
            }
            return (PortRanges(ranges), Set(ranges.flatMap { Array($0) }))
        }
        let (left, right) = (random(), random())
        func ports(_ ranges: PortRanges) -> Set<UInt16> { Set(ranges.ranges.flatMap { Array($0) }) }
        #expect(ports(left.0.union(right.0)) == left.1.union(right.1))
        #expect(ports(left.0.subtracting(right.0)) == left.1.subtracting(right.1))
        #expect(ports(left.0.intersection(right.0)) == left.1.intersection(right.1))
        #expect(PortRanges(left.0.description) == left.0)
    }
}
