// Settings that are about the wrong IP family (FLAG-4).

import ConfigurationFiles
import LoadBalancing
import NetworkTypes
import Testing

@Suite("Settings of the wrong family")
struct FamilyCheckTests {
    private static func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }

    private static func check(
        _ members: String, _ addresses: [String] = ["192.0.2.1"], both: Bool = false
    ) throws -> FamilyCheck {
        FamilyCheck(
            try kubeProxy(members).nodeSettings(nodeName: "n"), addresses: try addresses.map(address),
            hasBothFamilies: both)
    }

    @Test("FLAG-4: a clusterCIDR without the primary family is a fault on a host with one family, else a warning")
    func clusterCIDR() throws {
        let single = try Self.check(#""clusterCIDR":"fd00::/48""#)
        #expect(single.fault?.hasPrefix("clusterCIDR: has no IPv4 range") == true)
        let dual = try Self.check(#""clusterCIDR":"fd00::/48""#, both: true)
        #expect(dual.fault == nil)
        #expect(dual.notices.map(\.field) == ["clusterCIDR"])
        for right in ["10.0.0.0/8", "10.0.0.0/8,fd00::/48", ""] {
            let check = try Self.check(#""clusterCIDR":"\#(right)""#)
            #expect(check.fault == nil && check.notices == [])
        }
        // Another detector does not look at it.
        #expect(try Self.check(#""clusterCIDR":"fd00::/48","detectLocalMode":"NodeCIDR""#).fault == nil)
    }

    @Test("FLAG-4: nodePortAddresses without the primary family are a warning")
    func nodePortAddresses() throws {
        let check = try Self.check(#""nodePortAddresses":["fd00::/48"]"#)
        #expect(check.fault == nil)
        #expect(check.notices.map(\.field) == ["nodePortAddresses"])
    }

    @Test("NODE-4: a specific bind address sets the primary family; else it is IPv4 where the node has it")
    func primary() throws {
        let none = NodeSettings(nodeName: "n")
        let bound = NodeSettings(nodeName: "n", bindAddress: try Self.address("2001:db8::1"))
        let ipv4 = [try Self.address("192.0.2.1")]
        let ipv6 = [try Self.address("2001:db8::1"), try Self.address("127.0.0.1"), try Self.address("fe80::1")]
        #expect(FamilyCheck.primaryFamily(none, ipv4 + ipv6) == .ipv4)
        #expect(FamilyCheck.primaryFamily(none, ipv6) == .ipv6)
        #expect(FamilyCheck.primaryFamily(none, []) == .ipv4)
        #expect(FamilyCheck.primaryFamily(bound, ipv4) == .ipv6)
    }
}
