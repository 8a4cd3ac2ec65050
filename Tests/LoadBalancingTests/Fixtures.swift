// The small world of these suites: node n1 in zone-a with 192.168.0.2 and 2001:db8::2, whose pods are in 10.244.1.0/24,
// and service default/web with its slices. Each test changes only what it is about.

import LoadBalancing
import NetworkTypes
import ServiceModel

extension IPAddress: ExpressibleByStringLiteral {
    public init(stringLiteral text: String) {
        guard let address = IPAddress(text) else { preconditionFailure("not an address: \(text)") }
        self = address
    }
}

extension CIDR: ExpressibleByStringLiteral {
    public init(stringLiteral text: String) {
        guard let range = CIDR(text) else { preconditionFailure("not a range: \(text)") }
        self = range
    }
}

extension FrontendAddress: ExpressibleByStringLiteral {
    public init(stringLiteral text: String) {
        guard let key = FrontendAddress(text) else { preconditionFailure("not a frontend: \(text)") }
        self = key
    }
}

let clusterCIDR: NodeSettings.LocalDetector = .clusterCIDR(["10.244.0.0/16", "fd00:244::/32"])

/// Settings of node n1 with the ClusterCIDR detector.
func settings(_ change: (inout NodeSettings) -> Void = { _ in }) -> NodeSettings {
    var settings = NodeSettings(nodeName: "n1", localDetector: clusterCIDR)
    change(&settings)
    return settings
}

func node(_ change: (inout Node) -> Void = { _ in }) -> Node {
    var node = Node(
        name: "n1", zone: "zone-a", addresses: ["192.168.0.2", "2001:db8::2"],
        podCIDRs: ["10.244.1.0/24", "fd00:244:1::/64"])
    change(&node)
    return node
}

/// Service default/web: ClusterIP 172.30.0.1, port http 80/TCP.
func service(_ name: String = "web", _ change: (inout Service) -> Void = { _ in }) -> Service {
    var service = Service(
        name: ObjectName(namespace: "default", name: name), clusterIPs: [.ipv4: "172.30.0.1"],
        ports: [ServicePort(name: "http", port: 80)])
    change(&service)
    return service
}

/// LoadBalancer service with node port 30080, VIP 1.2.3.4 and ExternalIP 192.0.2.7.
func externalService(_ change: (inout Service) -> Void = { _ in }) -> Service {
    service {
        $0.kind = .loadBalancer
        $0.ports[0].nodePort = 30080
        $0.loadBalancerIPs = ["1.2.3.4"]
        $0.externalIPs = ["192.0.2.7"]
        $0.healthCheckNodePort = 30100
        change(&$0)
    }
}

/// A slice of default/web with port http 8080/TCP.
func slice(
    _ endpoints: Endpoint..., named name: String = "web-1", _ change: (inout EndpointSlice) -> Void = { _ in }
) -> EndpointSlice {
    var slice = EndpointSlice(
        name: ObjectName(namespace: "default", name: name), service: ObjectName(namespace: "default", name: "web"),
        family: .ipv4, ports: [SlicePort(name: "http", port: 8080)], endpoints: endpoints)
    change(&slice)
    return slice
}

extension Endpoint {
    static func ready(
        _ address: IPAddress, on node: String? = nil, zones: [String] = [], nodes: [String] = []
    ) -> Endpoint {
        Endpoint(address: address, nodeName: node, zoneHints: zones, nodeHints: nodes)
    }

    /// Not ready, serving, terminating: the last resort.
    static func terminating(
        _ address: IPAddress, on node: String? = nil, zones: [String] = [], nodes: [String] = []
    ) -> Endpoint {
        Endpoint(
            address: address, nodeName: node, isReady: false, isTerminating: true, zoneHints: zones, nodeHints: nodes)
    }

    /// Neither ready nor serving.
    static func unready(
        _ address: IPAddress, on node: String? = nil, zones: [String] = [], nodes: [String] = []
    ) -> Endpoint {
        Endpoint(
            address: address, nodeName: node, isReady: false, isServing: false, zoneHints: zones, nodeHints: nodes)
    }
}

/// A planner that knows these things.
func planner(
    _ services: [Service], _ slices: [EndpointSlice], settings: NodeSettings = settings(), node: Node? = node(),
    addresses: [IPAddress]? = nil
) -> Planner {
    var planner = Planner(settings: settings, nodeAddresses: addresses)
    _ = planner.apply(facts(services, slices, node: node))
    return planner
}

func facts(_ services: [Service], _ slices: [EndpointSlice], node: Node? = node()) -> [FactChange] {
    services.map { .service($0.name, $0) } + slices.map { .endpointSlice($0.name, $0) }
        + (node.map { [.node($0.name, $0)] } ?? [])
}

/// The plan of default/web alone, its port http in IPv4.
func plan(
    _ service: Service, _ slices: EndpointSlice..., settings: NodeSettings = settings(), node: Node? = node(),
    addresses: [IPAddress]? = nil
) -> FamilyPlan {
    let planner = planner([service], slices, settings: settings, node: node, addresses: addresses)
    return planner.family() ?? FamilyPlan(family: .ipv4, usesCluster: false)
}

extension Planner {
    func port(
        _ portName: String = "http", _ protocolKind: TransportProtocol = .tcp, of service: String = "web"
    ) -> ServicePortPlan? {
        let service = ObjectName(namespace: "default", name: service)
        return servicePort(named: ServicePortName(service: service, portName: portName, protocol: protocolKind))
    }

    func family(
        _ family: AddressFamily = .ipv4, _ portName: String = "http", _ protocolKind: TransportProtocol = .tcp,
        of service: String = "web"
    ) -> FamilyPlan? {
        port(portName, protocolKind, of: service)?.families.first { $0.family == family }
    }

    /// Every frontend of every service port, as `NodePort 192.168.0.2:30080/TCP`, in the order of the plan.
    var frontendTexts: [String] {
        servicePorts.flatMap { port in
            port.families.flatMap(\.frontends).map { "\($0.kind) \($0.address)/\(port.name.protocolKind)" }
        }
    }
}

extension FamilyPlan {
    var clusterTexts: [String] { cluster.map(\.address.description) }
    var localTexts: [String] { local.map(\.address.description) }
    var frontendTexts: [String] { frontends.map { "\($0.kind) \($0.address)" } }

    func frontend(_ kind: FrontendPlan.Kind) -> FrontendPlan? { frontends.first { $0.kind == kind } }

    /// `external/internal` disposition of the first frontend of the kind.
    func disposition(_ kind: FrontendPlan.Kind) -> String {
        frontend(kind).map { "\($0.externalTo.rawValue)/\($0.internalTo.rawValue)" } ?? "none"
    }
}
