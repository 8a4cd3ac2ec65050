// What a lab serves: facts go through the planner and the image into the maps, as in the agent.

import BPF
import Datapath
import DatapathImage
import LoadBalancing
import NetworkTypes
import ServiceModel

extension Endpoint {
    /// On this node, or on another one.
    static func ready(_ address: IPAddress, isLocal: Bool = false) -> Endpoint {
        Endpoint(address: address, nodeName: isLocal ? Ground.nodeName : "n2")
    }
}

/// Where endpoints are, in each family.
enum Backends: String, CaseIterable, Sendable {
    case remote, local, far, lost

    func address(_ ground: Ground) -> IPAddress {
        switch self {
        case .remote: ground.remotePod
        case .local: ground.localPod
        case .far: ground.farPod
        case .lost: ground.lostPod
        }
    }

    func endpoint(_ ground: Ground) -> Endpoint { .ready(address(ground), isLocal: self == .local) }
}

extension Lab {
    /// Forgets every service, flow and client.
    func startAfresh() throws {
        try withdraw()
        try perform(image.settle(image.changing.keys))
        try perform(image.reclaim(through: image.generation))
        try forgetFlows()
        for (key, _) in try datapath.maps.affinity.entries() { _ = try datapath.maps.affinity.delete(key) }
    }

    /// Takes every service away; flows go on.
    func withdraw() throws {
        try apply(
            known.map { fact in
                switch fact {
                case .service(let name, _): .service(name, nil)
                case .endpointSlice(let name, _): .endpointSlice(name, nil)
                case .node, .serviceCIDR: fact
                }
            })
        known = []
    }

    func forgetFlows() throws {
        for (key, _) in try datapath.maps.flows.entries() { _ = try datapath.maps.flows.delete(key) }
        for (key, _) in try datapath.maps.flowReplies.entries() { _ = try datapath.maps.flowReplies.delete(key) }
    }

    func apply(_ facts: [FactChange]) throws {
        let changed = planner.apply(facts).changed
        try perform(image.apply(changed.map { ($0.name, $0.plan) }))
    }

    /// Serves a service on every kind of frontend, port 80 and node port 30080 to backends' port 8080, or another
    /// version of it.
    func serve(
        _ transport: TransportProtocol = .tcp, _ backends: [Backends], named name: String = "web",
        _ change: (inout Service) -> Void = { _ in }
    ) throws {
        try serve(
            transport, endpoints: Ground.both.flatMap { ground in backends.map { $0.endpoint(ground) } },
            named: name, change)
    }

    func serve(
        _ transport: TransportProtocol = .tcp, endpoints: [Endpoint], named name: String = "web",
        port: UInt16 = Ground.backendPort, _ change: (inout Service) -> Void = { _ in }
    ) throws {
        let service = ObjectName(namespace: "test", name: name)
        var value = Service(
            name: service, kind: .loadBalancer,
            clusterIPs: Dictionary(uniqueKeysWithValues: Ground.both.map { ($0.family, $0.clusterIP) }),
            externalIPs: Ground.both.map(\.externalIP), loadBalancerIPs: Ground.both.map(\.loadBalancerIP),
            ports: [ServicePort(protocol: transport, port: Ground.port, nodePort: Ground.nodePort)])
        change(&value)
        let slices = AddressFamily.allCases.map { family in
            EndpointSlice(
                name: ObjectName(namespace: "test", name: "\(name)-\(family)"), service: service, family: family,
                ports: [SlicePort(protocol: transport, port: port)],
                endpoints: endpoints.filter { $0.address.family == family })
        }
        let facts = [.service(service, value)] + slices.map { FactChange.endpointSlice($0.name, $0) }
        known += facts
        try apply(facts)
    }
}
