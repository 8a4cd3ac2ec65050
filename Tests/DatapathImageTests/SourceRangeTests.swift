// Source ranges in the maps: written before the frontends that ask for them, gone after those, never between two states,
// and the longest prefix says what the plan says.

import CDatapathABI
import DatapathTestSupport
import LoadBalancing
import NetworkTypes
import Reconciler
import ServiceModel
import Testing

@testable import DatapathImage

@Suite struct SourceRangeTests {
    private static func plan(
        _ ranges: [String], _ policy: Service.SourceRangesPolicy = .allow, name: String = "shop/web",
        address: String = "203.0.113.1:80", virtual: [String] = []
    ) -> ServicePortPlan {
        .fixture(
            name, [.loadBalancer(address, ranges: ranges, policy: policy, virtual: virtual)], cluster: ["10.1.0.1:80"])
    }

    /// What the longest prefix says; what is in none is not admitted.
    private static func isAdmitted(_ source: IPAddress, id: UInt32, _ rules: SourceRangeRules) -> Bool {
        let match = rules.filter { $0.key.serviceID == id && $0.key.holds(source) }
            .max { $0.key.fields.length < $1.key.fields.length }
        return match?.value == .allow
    }

    @Test("entries are written before the flip and removed after it")
    func phases() throws {
        var harness = ImageHarness()
        try harness.apply(Self.plan(["10.0.0.0/8", "10.1.0.0/16"]))
        #expect(
            harness.last.description.contains(
                """
                1 service 1 = shop/web/TCP
                1 source range 10.1.0.0/16 of service 1 = allow
                1 source range 10.0.0.0/8 of service 1 = allow
                2 frontend 203.0.113.1:* = wildcard outside-only: reject
                2 frontend 203.0.113.1:80/TCP = LoadBalancer service 1 source-ranges
                """))
        #expect(
            try harness.text.hasSuffix(
                "source ranges\n  shop/web/TCP 10.0.0.0/8 allow\n  shop/web/TCP 10.1.0.0/16 allow\n"))
        try harness.apply(Self.plan(["10.1.0.0/16", "192.0.2.0/24"]))
        #expect(
            harness.last.description == """
                1 source range 192.0.2.0/24 of service 1 = allow
                3 remove source range 10.0.0.0/8 of service 1

                """)
        try harness.apply(Self.plan([]))
        #expect(harness.last.sourceRanges.isEmpty && harness.last.removedSourceRanges.count == 2)
        try harness.apply(Self.plan(["10.1.0.0/16"]))
        try harness.remove(.fixture("shop/web"))
        try harness.reclaim()
        #expect(try harness.text == "")
        #expect(harness.image.usage == DatapathImage().usage)
    }

    @Test("deny: everything of the family is admitted, and each range is not")
    func deny() throws {
        var harness = ImageHarness()
        try harness.apply(Self.plan(["10.0.0.0/8"], .deny, virtual: ["10.9.9.9"]))
        #expect(
            try harness.text.hasSuffix(
                """
                source ranges
                  shop/web/TCP 0.0.0.0/0 allow
                  shop/web/TCP 10.0.0.0/8 deny
                  shop/web/TCP 10.9.9.9/32 allow

                """))
        try harness.apply(Self.plan(["0.0.0.0/0"], .deny))
        #expect(try harness.text.hasSuffix("source ranges\n  shop/web/TCP 0.0.0.0/0 deny\n"))
    }

    @Test("a range of IPv6 that holds the IPv4-mapped addresses does not speak for them", arguments: ["::/1", "::/80"])
    func mappedAddresses(range: String) throws {
        var harness = ImageHarness()
        let plan = ServicePortPlan.fixture(
            "shop/web",
            [
                .loadBalancer("203.0.113.1:80", ranges: ["10.0.0.0/8"]),
                .loadBalancer("[2001:db8::1]:80", ranges: [range]),
            ], cluster: ["10.1.0.1:80", "[2001:db8::2]:80"])
        try harness.apply(plan)
        let rules = try harness.store.contents().sourceRanges
        #expect(rules.count == 3)
        #expect(Self.isAdmitted(.fixture("10.2.3.4"), id: 1, rules))
        #expect(!Self.isAdmitted(.fixture("11.2.3.4"), id: 1, rules))
        #expect(Self.isAdmitted(.fixture("::7:1:2:3"), id: 1, rules) == (range == "::/1"))
        #expect(Self.isAdmitted(.fixture("::1:2:3"), id: 1, rules))
    }

    @Test("on the way from one list to another every source meets the old answer or the new one", arguments: 1...20)
    func steps(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var harness = ImageHarness()
        func randomPlan() -> ServicePortPlan {
            let ranges = (0..<Int.random(in: 1...5, using: &random)).map { _ in
                "10.0.\(UInt8.random(in: 0...3, using: &random)).\(UInt8.random(in: 0...3, using: &random) << 6)"
                    + "/\(Int.random(in: 20...27, using: &random))"
            }
            return Self.plan(ranges, Bool.random(using: &random) ? .allow : .deny)
        }
        let sources = (0..<UInt32(32)).map { IPAddress(ipv4: 0x0a00_0000 + $0 << 5) } + [.fixture("192.0.2.1")]
        func answers(_ rules: SourceRangeRules) -> [Bool] { sources.map { Self.isAdmitted($0, id: 1, rules) } }
        try harness.apply(randomPlan())
        for _ in 1...30 {
            let before = try harness.store.contents().sourceRanges
            let plan = randomPlan()
            try harness.apply(plan)
            let after = try harness.store.contents().sourceRanges
            let (old, new) = (answers(before), answers(after))
            let list = try #require(plan.families.first?.frontends.first)
            #expect(
                new == sources.map { list.sourceRanges.contains(address: $0) == (list.sourceRangesPolicy == .allow) })
            var rules = before
            func check() {
                for (index, answer) in answers(rules).enumerated() {
                    #expect(answer == old[index] || answer == new[index], "\(sources[index]) on the way")
                }
            }
            for write in harness.last.sourceRanges {
                rules[write.key] = write.admission
                check()
            }
            for key in harness.last.removedSourceRanges {
                rules[key] = nil
                check()
            }
            #expect(rules == after)
        }
    }

    @Test("in a full map the frontend that needs ranges keeps what it had, and others are not affected")
    func full() throws {
        var harness = ImageHarness(limits: ImageLimits(sourceRanges: 3))
        try harness.apply(Self.plan(["10.0.0.0/8", "11.0.0.0/8"]))
        let text = try harness.text
        try harness.apply(Self.plan(["12.0.0.0/8", "13.0.0.0/8"]))
        #expect(
            harness.image.failures.map(\.description) == [
                "frontend 203.0.113.1:80/TCP of service port shop/web is not programmed: "
                    + "map source_ranges is full: it holds 3 entries"
            ])
        #expect(try harness.text == text)
        try harness.apply(
            .fixture(
                "shop/two",
                [.clusterIP("10.96.0.2:80"), .loadBalancer("203.0.113.2:80", ranges: ["1.0.0.0/8", "2.0.0.0/8"])],
                cluster: ["10.1.0.1:80"]))
        #expect(harness.image.failures.map(\.key.description) == ["203.0.113.1:80/TCP", "203.0.113.2:80/TCP"])
        #expect(try harness.text.contains("10.96.0.2:80/TCP ClusterIP shop/two/TCP"))
        #expect(try !harness.text.contains("203.0.113.2"))
        // Taking ranges away needs no room, and makes some.
        try harness.apply(Self.plan(["12.0.0.0/8"]))
        try harness.retryFailed()
        #expect(harness.image.failures.isEmpty)
        #expect(harness.image.usage.sourceRanges == 3)
        #expect(harness.store.violations == [])
    }

    @Test("a record that stays because its successor has no room keeps its ranges, until it goes")
    func keptRecord() throws {
        var harness = ImageHarness(limits: ImageLimits(backends: 2))
        try harness.apply(Self.plan(["10.0.0.0/8"]))
        let unrestricted = ServicePortPlan.fixture(
            "shop/web", [.loadBalancer("203.0.113.1:80")], cluster: ["10.1.0.1:80", "10.1.0.2:80"])
        try harness.apply(unrestricted)
        #expect(harness.image.failures.count == 1)
        #expect(try harness.text.contains("source-ranges") && harness.image.usage.sourceRanges == 1)
        try harness.apply(
            .fixture("shop/web", [.loadBalancer("203.0.113.1:80")], cluster: ["10.1.0.1:80"]))
        #expect(harness.image.failures.isEmpty && harness.image.usage.sourceRanges == 0)
        #expect(try !harness.text.contains("source"))
        #expect(harness.store.violations == [])
    }

    @Test("after a restart ranges stay with the frontends that ask for them, and those of nobody go in the end")
    func restart() throws {
        var harness = ImageHarness()
        try harness.apply(
            Self.plan(["10.0.0.0/8"]), Self.plan(["1.0.0.0/8"], name: "shop/two", address: "203.0.113.2:80"))
        let stray = SourceRangeKey(.fixture("10.0.0.0/8"), serviceID: 77)
        harness.store.tamper {
            $0.sourceRanges[stray] = .allow
            $0.sourceRanges[SourceRangeKey(.fixture("7.0.0.0/8"), serviceID: 1)] = .deny
        }
        try harness.restart()
        try harness.apply(Self.plan(["10.0.0.0/8", "11.0.0.0/8"]))
        #expect(
            harness.last.description == """
                1 source range 11.0.0.0/8 of service 1 = allow
                3 remove source range 7.0.0.0/8 of service 1

                """)
        #expect(try harness.store.contents().sourceRanges.count == 4)
        try harness.removeUnclaimed()
        #expect(Set(try harness.store.contents().sourceRanges.keys.map(\.serviceID)) == [1])
        #expect(harness.store.violations == [])
        #expect(try harness.audit().differences == 0)
    }
}

extension SourceRangeKey {
    /// Bit by bit, as the kernel compares.
    fileprivate func holds(_ source: IPAddress) -> Bool {
        let bits = Int(fields.length) - 32
        let (own, other) = (fields.client.ipAddress.bytes, source.bytes)
        return (0..<bits).allSatisfy { bit in
            let mask = UInt8(0x80) >> UInt8(bit % 8)
            return own[bit / 8] & mask == other[bit / 8] & mask
        }
    }
}
