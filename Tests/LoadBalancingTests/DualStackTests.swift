// Two independent proxies (semantics section 13).

import LoadBalancing
import NetworkTypes
import ServiceModel
import Testing

@Suite struct DualStackTests {
    static let dual = externalService {
        $0.clusterIPs = [.ipv4: "172.30.0.1", .ipv6: "fd00:172::1"]
        $0.loadBalancerIPs = ["1.2.3.4", "fd00:9::1"]
        $0.externalIPs = ["fd00:9::7", "192.0.2.7"]
        $0.loadBalancerSourceRanges = ["203.0.113.0/25", "fd00:8::/32"]
        $0.externalTrafficPolicy = .local
    }
    static let four = slice(.ready("10.244.1.1", on: "n1"), .ready("10.244.2.1", on: "n2"))
    static let six = slice(.ready("fd00:244:1::1", on: "n1"), .ready("fd00:244:2::1", on: "n2"), named: "web-6") {
        $0.family = .ipv6
    }

    @Test("DS-1: a dual-stack service behaves alike in both families")
    func independent() throws {
        let planner = planner([Self.dual], [Self.four, Self.six])
        let port = try #require(planner.port())
        #expect(port.families.map(\.family) == [.ipv4, .ipv6])
        for family in port.families {
            #expect(family.cluster.count == 2 && family.local.count == 1)
            #expect(family.frontends.map(\.kind) == FrontendPlan.Kind.allCases)
            #expect(family.disposition(.loadBalancer) == "local/cluster")
            #expect(family.frontend(.loadBalancer)?.sourceRanges.count == 1)
            #expect(family.localReadyCount == 1)
        }
    }

    @Test("DS-2: a family without endpoints is refused although the other has some")
    func neverAcross() {
        let planner = planner([Self.dual], [Self.four])
        #expect(planner.family(.ipv4)?.disposition(.clusterIP) == "cluster/cluster")
        #expect(planner.family(.ipv6)?.disposition(.clusterIP) == "reject/reject")
        #expect(planner.family(.ipv6)?.cluster.isEmpty == true)
    }

    @Test("DS-3: the order in which families and addresses are given has no effect")
    func order() {
        let swapped = externalService {
            $0 = Self.dual
            $0.clusterIPs = [.ipv6: "fd00:172::1", .ipv4: "172.30.0.1"]
            $0.externalIPs.reverse()
            $0.loadBalancerIPs.reverse()
            $0.loadBalancerSourceRanges.reverse()
        }
        #expect(
            planner([swapped], [Self.six, Self.four]).servicePorts
                == planner([Self.dual], [Self.four, Self.six]).servicePorts)
    }

    @Test("DS-5: external addresses and ranges are those of the family", arguments: AddressFamily.allCases)
    func filtered(family: AddressFamily) {
        let frontends = planner([Self.dual], []).family(family)?.frontends ?? []
        #expect(frontends.count == 4)
        #expect(frontends.allSatisfy { $0.address.address.family == family })
        #expect(frontends.flatMap(\.sourceRanges).allSatisfy { $0.family == family })
    }
}
