// This node as the rules see it (semantics section 20).

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct NodeIdentityTests {
    @Test("NODE-3: the node IP of a family is the first of the Node's ordered addresses in it")
    func nodeIPs() {
        let node = node { $0.addresses = ["192.168.0.2", "192.168.0.3", "2001:db8::2", "203.0.113.9", "2001:db8::3"] }
        let view = NodeView(node: node, settings: settings())
        #expect(view.nodeIPs == PerFamily(ipv4: "192.168.0.2", ipv6: "2001:db8::2"))
        #expect(NodeView(node: nil, settings: settings()).nodeIPs == PerFamily(ipv4: nil, ipv6: nil))
    }

    @Test("NODE-4: a specific bind address is the node IP of its family, and decides what that decides")
    func bindAddress() {
        let bound = settings { $0.bindAddress = "80.80.80.80" }
        let view = NodeView(node: node(), settings: bound)
        #expect(view.nodeIPs == PerFamily(ipv4: "80.80.80.80", ipv6: "2001:db8::2"))
        let service = externalService { $0.loadBalancerSourceRanges = ["80.80.80.0/24"] }
        let plan = plan(service, settings: bound)
        #expect(plan.frontend(.loadBalancer)?.admitsHostSockets == true)
        #expect(plan.frontend(.nodePort)?.address.address == "80.80.80.80")
    }

    @Test("NODE-4: an unspecified bind address is none", arguments: [IPAddress("0.0.0.0"), IPAddress("::")])
    func unspecified(address: IPAddress?) {
        let view = NodeView(node: node(), settings: settings { $0.bindAddress = address })
        #expect(view.nodeIPs == PerFamily(ipv4: "192.168.0.2", ipv6: "2001:db8::2"))
    }

    @Test("NODE-5: a deleted Node leaves its last facts in force")
    func deleted() {
        var planner = planner([externalService()], [slice(.ready("10.244.2.1"))])
        let before = planner.servicePorts
        #expect(planner.apply([.node("n1", nil)]).isEmpty)
        #expect(planner.servicePorts == before)
    }

    @Test("NODE-6: other nodes have no effect")
    func otherNodes() {
        var planner = planner([externalService()], [slice(.ready("10.244.2.1"))])
        let other = node {
            $0.name = "n2"
            $0.zone = "zone-b"
        }
        #expect(planner.apply([.node("n2", other)]).isEmpty)
        #expect(planner.facts.node?.zone == "zone-a")
    }

    @Test("NODE-3: the Node's addresses are the node's own as long as nobody knows better")
    func addresses() {
        #expect(NodeView(node: node(), settings: settings()).addresses == ["192.168.0.2", "2001:db8::2"])
        let known = NodeView(node: node(), settings: settings(), addresses: ["192.168.0.9", "192.168.0.2"])
        #expect(known.addresses == ["192.168.0.2", "192.168.0.9"])
    }

    @Test("NODE-5: changed addresses and pod ranges of this node take effect")
    func changes() {
        let service = externalService { $0.loadBalancerSourceRanges = ["10.244.1.0/24"] }
        var planner = planner([service], [])
        #expect(planner.apply([.node("n1", node { $0.podCIDRs = ["10.244.2.0/24"] })]).changed.count == 1)
        #expect(planner.family()?.frontend(.loadBalancer)?.admitsPodSockets == false)
        #expect(planner.apply([.node("n1", node { $0.addresses = ["192.168.0.7"] })]).changed.count == 1)
        #expect(planner.family()?.frontend(.nodePort)?.address.address == "192.168.0.7")
    }
}
