// Short ways to write plans in tests: text in, ServicePortPlan out. A mistake in the text stops the test run.

package import LoadBalancing
package import NetworkTypes
package import ServiceModel

extension AddressAndPort {
    package static func fixture(_ text: String) -> AddressAndPort {
        guard let value = AddressAndPort(text) else { preconditionFailure("\(text) is not an address with a port") }
        return value
    }
}

extension IPAddress {
    package static func fixture(_ text: String) -> IPAddress {
        guard let value = IPAddress(text) else { preconditionFailure("\(text) is not an address") }
        return value
    }
}

extension CIDR {
    package static func fixture(_ text: String) -> CIDR {
        guard let value = CIDR(text) else { preconditionFailure("\(text) is not a range") }
        return value
    }
}

extension Backend {
    /// `10.0.0.1:80`, or with a weight `10.0.0.1:80*5`.
    package static func fixture(_ text: String) -> Backend {
        let parts = text.split(separator: "*")
        let weight = parts.count == 2 ? UInt32(parts[1]) : 1
        guard let weight, let first = parts.first else { preconditionFailure("\(text) is not a backend") }
        return Backend(address: .fixture(String(first)), weight: weight)
    }
}

extension ServicePortName {
    /// `namespace/name` or `namespace/name:port`.
    package static func fixture(_ text: String, protocol protocolKind: TransportProtocol = .tcp) -> ServicePortName {
        let parts = text.split(separator: "/")
        guard parts.count == 2 else { preconditionFailure("\(text) is not a service port") }
        let names = parts[1].split(separator: ":")
        return ServicePortName(
            service: ObjectName(namespace: String(parts[0]), name: String(names[0])),
            portName: names.count == 2 ? String(names[1]) : "", protocol: protocolKind)
    }
}

extension FrontendPlan {
    package static func clusterIP(
        _ address: String, to disposition: Disposition = .cluster
    ) -> FrontendPlan {
        FrontendPlan(
            kind: .clusterIP, address: .fixture(address), externalTo: disposition, internalTo: disposition)
    }

    package static func nodePort(
        _ address: String, external: Disposition = .cluster, internal: Disposition = .cluster
    ) -> FrontendPlan {
        FrontendPlan(kind: .nodePort, address: .fixture(address), externalTo: external, internalTo: `internal`)
    }

    package static func externalIP(_ address: String) -> FrontendPlan {
        FrontendPlan(kind: .externalIP, address: .fixture(address), externalTo: .cluster, internalTo: .cluster)
    }

    package static func loadBalancer(
        _ address: String, external: Disposition = .cluster, internal: Disposition = .cluster,
        ranges: [String] = [], policy: Service.SourceRangesPolicy = .allow, virtual: [String] = [],
        admitsHost: Bool = true, admitsPods: Bool = true
    ) -> FrontendPlan {
        FrontendPlan(
            kind: .loadBalancer, address: .fixture(address), externalTo: external, internalTo: `internal`,
            sourceRanges: ranges.map { .fixture($0) }, sourceRangesPolicy: policy, admitsHostSockets: admitsHost,
            admitsPodSockets: admitsPods, virtualSources: virtual.map { .fixture($0) })
    }
}

extension ServicePortPlan {
    /// One service port of both families, as far as there are frontends of them. `serving` defaults to the cluster
    /// list.
    package static func fixture(
        _ name: String, protocol protocolKind: TransportProtocol = .tcp, _ frontends: [FrontendPlan],
        cluster: [String] = [], local: [String] = [], serving: [String]? = nil,
        algorithm: Service.Algorithm = .random, affinity: UInt32? = nil
    ) -> ServicePortPlan {
        let name = ServicePortName.fixture(name, protocol: protocolKind)
        let clusterList = cluster.map(Backend.fixture).sorted()
        let localList = local.map(Backend.fixture).sorted()
        let servingList = serving.map { $0.map(AddressAndPort.fixture).sorted() } ?? clusterList.map(\.address)
        let families = AddressFamily.allCases.compactMap { family -> FamilyPlan? in
            let own = frontends.filter { $0.address.address.family == family }
            guard !own.isEmpty else { return nil }
            return FamilyPlan(
                family: family, cluster: clusterList.filter { $0.address.address.family == family },
                local: localList.filter { $0.address.address.family == family }, usesLocal: !localList.isEmpty,
                serving: servingList.filter { $0.address.family == family },
                frontends: own.sorted { ($0.kind.rawValue, $0.address) < ($1.kind.rawValue, $1.address) })
        }
        return ServicePortPlan(
            name: name, port: frontends.first?.address.port ?? 0, algorithm: algorithm,
            sessionAffinitySeconds: affinity, families: families)
    }

    /// As a change that puts the plan in force.
    package var change: (name: ServicePortName, plan: ServicePortPlan?) { (name, self) }

    /// As a change that takes it out of force.
    package var removal: (name: ServicePortName, plan: ServicePortPlan?) { (name, nil) }
}
