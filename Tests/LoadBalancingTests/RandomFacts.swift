// Random but repeatable facts in a small universe, so that services share slices, addresses and node ports often.

import LoadBalancing
import NetworkTypes
import ServiceModel

/// SplitMix64 (Steele, Lea, Flood 2014): the same seed gives the same facts on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}

struct RandomFacts {
    var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    private let services = (0..<6).map { ObjectName(namespace: $0 < 3 ? "a" : "b", name: "service-\($0)") }
    private let slices = (0..<10).map { ObjectName(namespace: "a", name: "slice-\($0)") }

    mutating func change() -> FactChange {
        switch Int.random(in: 0..<20, using: &generator) {
        case 0..<8: serviceChange()
        case 8..<18: sliceChange()
        case 18: .node("n1", node())
        default: .serviceCIDR(pick(["x", "y"]), chance(3) ? nil : ServiceCIDR(name: "x", ranges: [pick(ranges)]))
        }
    }

    /// Takes every service and slice away.
    var removals: [FactChange] { services.map { .service($0, nil) } + slices.map { .endpointSlice($0, nil) } }

    private let ranges: [CIDR] = ["10.96.0.0/12", "172.30.0.0/16", "fd00:172::/112"]

    private mutating func serviceChange() -> FactChange {
        let name = pick(services)
        return .service(name, chance(5) ? nil : service(name))
    }

    private mutating func service(_ name: ObjectName) -> Service {
        var service = Service(name: name, creationTime: chance(4) ? nil : Int64.random(in: 0..<4, using: &generator))
        service.kind = pick([.clusterIP, .nodePort, .loadBalancer, .externalName])
        service.isHeadless = chance(12)
        service.belongsToOtherProxy = chance(12)
        let last = UInt32.random(in: 1..<8, using: &generator)
        if !chance(6) { service.clusterIPs[.ipv4] = IPAddress(ipv4: 0xac1e_0000 + last) }
        if chance(2) { service.clusterIPs[.ipv6] = IPAddress(high: 0xfd00_0172_0000_0000, low: UInt64(last)) }
        service.externalIPs = some(["192.0.2.7", "192.168.0.2", "1.2.3.4", "fd00:9::9"])
        service.loadBalancerIPs = some(["1.2.3.4", "fd00:9::1", "1.2.3.5"])
        service.loadBalancerSourceRanges = some(["10.244.0.0/16", "192.168.0.0/24", "0.0.0.0/0", "fd00::/8"])
        service.externalTrafficPolicy = pick([.cluster, .local])
        service.internalTrafficPolicy = pick([.cluster, .cluster, .local])
        service.healthCheckNodePort = pick([0, 30100])
        service.sessionAffinitySeconds = pick([nil, 10800])
        service.ports = some([
            ServicePort(name: "http", port: 80, nodePort: 30080), ServicePort(name: "dns", protocol: .udp, port: 53),
            ServicePort(name: "dns", port: 53, nodePort: 30053), ServicePort(name: "alt", port: 81, nodePort: 30080),
            ServicePort(name: "clash", port: 80), ServicePort(name: "direct", port: 30080), ServicePort(port: 0),
        ])
        return service
    }

    private mutating func sliceChange() -> FactChange {
        let name = pick(slices)
        guard !chance(5) else { return .endpointSlice(name, nil) }
        let family = pick(AddressFamily.allCases)
        var slice = EndpointSlice(name: name, service: pick(services), family: family, isHeadless: chance(12))
        slice.ports = some([
            SlicePort(name: "http", port: 8080), SlicePort(name: "dns", protocol: .udp, port: 5353),
            SlicePort(name: "dns", port: 5353), SlicePort(name: "http", port: 9090),
        ])
        slice.weight = UInt32.random(in: 1..<4, using: &generator)
        let count = Int.random(in: 0..<5, using: &generator)
        slice.endpoints = (0..<count).map { _ in endpoint(family) }
        return .endpointSlice(name, slice)
    }

    private mutating func endpoint(_ family: AddressFamily) -> Endpoint {
        let last = UInt32.random(in: 1..<7, using: &generator)
        let address =
            switch family {
            case .ipv4: IPAddress(ipv4: 0x0af4_0100 + last)
            case .ipv6: IPAddress(high: 0xfd00_0244_0001_0000, low: UInt64(last))
            }
        return Endpoint(
            address: address, nodeName: pick([nil, "n1", "n2"]), isReady: !chance(3), isServing: !chance(3),
            isTerminating: chance(3), zoneHints: chance(3) ? [] : some(["zone-a", "zone-b"]),
            nodeHints: chance(3) ? some(["n1", "n2"]) : [])
    }

    private mutating func node() -> Node {
        Node(
            name: "n1", zone: pick([nil, "zone-a", "zone-b"]),
            addresses: some(["192.168.0.2", "192.168.1.2", "2001:db8::2"]),
            podCIDRs: some(["10.244.1.0/24", "fd00:244:1::/64"]))
    }

    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[Int.random(in: 0..<choices.count, using: &generator)]
    }

    private mutating func some<Element>(_ choices: [Element]) -> [Element] {
        var chosen: [Element] = []
        for choice in choices where Bool.random(using: &generator) { chosen.append(choice) }
        return chosen
    }

    /// True once in so many times.
    mutating func chance(_ times: Int) -> Bool { Int.random(in: 0..<times, using: &generator) == 0 }
}
