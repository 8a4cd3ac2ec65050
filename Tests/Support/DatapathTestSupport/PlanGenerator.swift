// Random plans over a small world, so that services share endpoints, addresses and tables, come, go and change.

package import DatapathImage
package import LoadBalancing
import NetworkTypes
import Reconciler
package import ServiceModel

package struct PlanGenerator {
    private var random: SplitMix64
    private let services: Int
    /// What is wanted now.
    package private(set) var plans: [ServicePortName: ServicePortPlan] = [:]

    package init(seed: UInt64, services: Int = 12) {
        random = SplitMix64(seed: seed)
        self.services = services
    }

    package mutating func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    package mutating func nextChanges() -> [DatapathImage.Change] {
        (0..<pick(1...4)).map { _ in
            let number = pick(1...services)
            let protocolKind: TransportProtocol = number % 3 == 0 ? .udp : .tcp
            let name = ServicePortName.fixture("ns/s\(number)", protocol: protocolKind)
            guard pick(0...4) > 0 else {
                plans[name] = nil
                return (name, nil)
            }
            let plan = plan(number, protocolKind)
            plans[name] = plan
            return (name, plan)
        }
    }

    /// Services 1 and 2, 3 and 4 … share a ClusterIP; every service has its own port on it.
    private mutating func plan(_ number: Int, _ protocolKind: TransportProtocol) -> ServicePortPlan {
        let cluster = endpoints(upTo: 5)
        let local = cluster.filter { _ in Bool.random(using: &random) }
        let inside: FrontendPlan.Disposition = cluster.isEmpty ? .reject : .cluster
        let outside: FrontendPlan.Disposition = cluster.isEmpty ? .reject : local.isEmpty ? .drop : .local
        var frontends: [FrontendPlan] = [.clusterIP("10.96.0.\(number / 2 + 1):\(1000 + number)", to: inside)]
        if pick(0...2) > 0 {
            frontends.append(.nodePort("192.0.2.1:\(30000 + number)", external: outside, internal: inside))
            frontends.append(.nodePort("127.0.0.1:\(30000 + number)", external: inside, internal: inside))
        }
        if pick(0...3) == 0 {
            frontends.append(
                .loadBalancer(
                    "203.0.113.1:\(2000 + number)", external: outside, internal: inside,
                    ranges: (0..<pick(0...3)).map { _ in "198.51.\(pick(0...3)).0/\(pick(16...24))" },
                    policy: pick(0...1) == 0 ? .allow : .deny, virtual: pick(0...1) == 0 ? [] : ["203.0.113.1"]))
        }
        return .fixture(
            "ns/s\(number)", protocol: protocolKind, frontends, cluster: cluster, local: local,
            algorithm: pick(0...2) == 0 ? .maglev : .random, affinity: pick(0...2) == 0 ? 60 : nil)
    }

    /// The weight belongs to the address, so that the record of a backend does not depend on which service came last.
    private mutating func endpoints(upTo most: Int) -> [String] {
        Set((0..<pick(0...most)).map { _ in pick(1...9) }).sorted().map {
            "10.1.0.\($0):8080" + ($0 > 7 ? "*3" : "")
        }
    }
}
