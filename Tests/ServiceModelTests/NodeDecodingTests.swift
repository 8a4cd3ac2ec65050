// Nodes and ServiceCIDRs.

import NetworkTypes
import ServiceModel
import Testing

@Suite struct NodeDecodingTests {
    private func node(_ body: String, metadata: String = "") throws -> (node: Node?, complaints: [String]) {
        let decoded = try decodeOne(
            #"{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"\#(metadata)},\#(body)}"#)
        guard case .fact(.node(let node)) = decoded.outcome else { return (nil, decoded.complaints) }
        return (node, decoded.complaints)
    }

    @Test("NODE-3: InternalIPs come before ExternalIPs, other addresses do not count")
    func addresses() throws {
        let (node, complaints) = try node(
            #"""
            "status":{"addresses":[{"type":"Hostname","address":"n1"},{"type":"ExternalIP","address":"203.0.113.1"},
            {"type":"InternalIP","address":"192.168.0.2"},{"type":"InternalIP","address":"2001:db8::1"}]},
            "spec":{"podCIDR":"10.0.1.0/24","podCIDRs":["10.0.1.0/24","fd00:1::/64"]}
            """#, metadata: #","labels":{"topology.kubernetes.io/zone":"a"}"#)
        #expect(complaints == [])
        #expect(node?.addresses.map(\.description) == ["192.168.0.2", "2001:db8::1", "203.0.113.1"])
        #expect(node?.podCIDRs.map(\.description) == ["10.0.1.0/24", "fd00:1::/64"])
        #expect(node?.zone == "a")
        #expect(node?.isLeaving == false)
    }

    @Test("TOPO-5: an empty zone label is none")
    func emptyZone() throws {
        let (node, _) = try node(#""status":{}"#, metadata: #","labels":{"topology.kubernetes.io/zone":""}"#)
        #expect(node == Node(name: "n1"))
    }

    @Test("HZ-4: deletion and the autoscaler's taint mean leaving, other taints do not")
    func leaving() throws {
        #expect(
            try node(#""spec":{}"#, metadata: #","deletionTimestamp":"2026-01-01T00:00:00Z""#).node?.isLeaving == true)
        let taint = #""spec":{"taints":[{"key":"x"},{"key":"ToBeDeletedByClusterAutoscaler","effect":"NoSchedule"}]}"#
        #expect(try node(taint).node?.isLeaving == true)
        #expect(try node(#""spec":{"taints":[{"key":"node.kubernetes.io/unschedulable"}]}"#).node?.isLeaving == false)
    }

    @Test("invalid addresses and CIDRs are skipped and reported")
    func invalid() throws {
        let (node, complaints) = try node(
            #""spec":{"podCIDR":"x"},"status":{"addresses":[{"type":"InternalIP","address":"y"}]}"#)
        #expect(node == Node(name: "n1"))
        #expect(complaints.count == 2)
        #expect(complaints.first == #"spec.podCIDR: "x" is not a CIDR (such as 10.0.0.0/16); it is skipped"#)
    }

    @Test("a ServiceCIDR holds its ranges; without any it is unusable")
    func serviceCIDR() throws {
        let head = #""apiVersion":"networking.k8s.io/v1","kind":"ServiceCIDR","metadata":{"name":"kubernetes"}"#
        let decoded = try decodeOne(#"{\#(head),"spec":{"cidrs":["10.96.0.0/12","fd00::/108"]}}"#)
        let ranges = [try #require(CIDR("10.96.0.0/12")), try #require(CIDR("fd00::/108"))]
        #expect(decoded.outcome == .fact(.serviceCIDR(ServiceCIDR(name: "kubernetes", ranges: ranges))))
        #expect(try decodeOne("{\(head)}").complaints == ["spec.cidrs: is missing"])
    }
}
