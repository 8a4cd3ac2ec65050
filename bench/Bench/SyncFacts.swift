// A cluster at scale: services with endpoints of their own, as decoded facts and as manifests that say the same.

import NetworkTypes
import ServiceModel

struct SyncFacts: Sendable {
    let services: Int
    let endpoints: Int
    let algorithm: Service.Algorithm
    /// Whether each service has a NodePort as well, is forwarded by DSR, and every second one is UDP: there are not
    /// enough ports for one protocol.
    var isOutside = false

    static let port: UInt16 = 80
    static let nodeName = "worker-1"

    /// Everything, as a source delivers it first.
    var all: [FactChange] {
        (0..<services).flatMap { index in
            let service = service(index)
            let slice = slice(index, without: nil)
            return [FactChange.service(service.name, service), .endpointSlice(slice.name, slice)]
        }
    }

    /// The slice of one service, with one endpoint left out or none.
    func change(_ index: Int, without left: Int?) -> FactChange {
        let slice = slice(index, without: left)
        return .endpointSlice(slice.name, slice)
    }

    /// On a node with one address of the services' family: ClusterIP, the wildcard of its address, NodePort.
    var frontends: Int { services * (isOutside ? 3 : 2) }

    /// Zero: none.
    func nodePort(_ index: Int) -> UInt16 { isOutside ? UInt16(1024 + index / 2) : 0 }

    func transport(_ index: Int) -> TransportProtocol { isOutside && index % 2 == 1 ? .udp : .tcp }

    /// Where clients dial the service.
    func address(_ index: Int) -> IPAddress? { IPAddress(addressText(index)) }

    func addressText(_ index: Int) -> String {
        "10.\(96 + index / 65536).\(index / 256 % 256).\(index % 256)"
    }

    private func endpointText(_ index: Int, _ endpoint: Int) -> String {
        let number = index * endpoints + endpoint
        return "10.\(128 + number / 65536).\(number / 256 % 256).\(number % 256)"
    }

    private func service(_ index: Int) -> Service {
        Service(
            name: ObjectName(namespace: "bench", name: "service-\(index)"), kind: isOutside ? .nodePort : .clusterIP,
            clusterIPs: address(index).map { [.ipv4: $0] } ?? [:], algorithm: algorithm,
            forwarding: isOutside ? .dsr : nil,
            ports: [
                ServicePort(name: "web", protocol: transport(index), port: Self.port, nodePort: nodePort(index))
            ])
    }

    private func slice(_ index: Int, without left: Int?) -> EndpointSlice {
        let addresses = (0..<endpoints).filter { $0 != left }.compactMap { IPAddress(endpointText(index, $0)) }
        return EndpointSlice(
            name: ObjectName(namespace: "bench", name: "service-\(index)-1"),
            service: ObjectName(namespace: "bench", name: "service-\(index)"), family: .ipv4,
            ports: [SlicePort(name: "web", protocol: transport(index), port: 8080)],
            endpoints: addresses.map { Endpoint(address: $0) })
    }

    private func protocolText(_ index: Int) -> String { transport(index) == .udp ? "UDP" : "TCP" }
    private func nodePortText(_ index: Int) -> String { isOutside ? ", nodePort: \(nodePort(index))" : "" }

    /// The YAML of one service and its slice.
    func manifest(_ index: Int, without left: Int?) -> String {
        let endpoints = (0..<endpoints).filter { $0 != left }.map { endpoint in
            "{addresses: [\(endpointText(index, endpoint))], conditions: {ready: true}}"
        }
        return """
            apiVersion: v1
            kind: Service
            metadata: {name: service-\(index), namespace: bench}
            spec:
              clusterIP: \(addressText(index))
              clusterIPs: [\(addressText(index))]
              type: \(isOutside ? "NodePort" : "ClusterIP")
              ports: [{name: web, port: \(Self.port), protocol: \(protocolText(index))\(nodePortText(index))}]
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata:
              name: service-\(index)-1
              namespace: bench
              labels: {kubernetes.io/service-name: service-\(index)}
            addressType: IPv4
            ports: [{name: web, port: 8080, protocol: \(protocolText(index))}]
            endpoints: [\(endpoints.joined(separator: ", "))]

            """
    }
}
