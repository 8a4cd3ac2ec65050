// EndpointSlices as tests think of them: pods with conditions, of which one slice for each family comes about, as the
// slice controller makes them.

import World

/// A pod behind a service, in both families as far as it has addresses.
struct EndpointObject: Sendable {
    var addresses: [String]
    /// Nil: unset.
    var node: String?
    var isReady = true
    /// Nil: unset, as it is for most endpoints.
    var isServing: Bool?
    var isTerminating: Bool?
    var zoneHints: [String] = []
    var nodeHints: [String] = []

    init(_ pod: Probe, on node: String? = "worker-1") {
        addresses = pod.addresses
        self.node = node
    }

    /// Shutting down, and still answering.
    var terminating: EndpointObject {
        var copy = self
        (copy.isReady, copy.isServing, copy.isTerminating) = (false, true, true)
        return copy
    }

    /// Not ready for traffic, and not on its way out.
    var unready: EndpointObject {
        var copy = self
        (copy.isReady, copy.isServing, copy.isTerminating) = (false, false, false)
        return copy
    }

    func hinted(zones: [String] = [], nodes: [String] = []) -> EndpointObject {
        var copy = self
        (copy.zoneHints, copy.nodeHints) = (zones, nodes)
        return copy
    }

    fileprivate func text(_ address: String) -> String {
        var conditions = ["ready: \(isReady)"]
        if let isServing { conditions.append("serving: \(isServing)") }
        if let isTerminating { conditions.append("terminating: \(isTerminating)") }
        var fields = ["addresses: [\"\(address)\"]", "conditions: {\(conditions.joined(separator: ", "))}"]
        if let node { fields.append("nodeName: \(node)") }
        var hints: [String] = []
        if !zoneHints.isEmpty {
            hints.append("forZones: [\(zoneHints.map { "{name: \($0)}" }.joined(separator: ", "))]")
        }
        if !nodeHints.isEmpty {
            hints.append("forNodes: [\(nodeHints.map { "{name: \($0)}" }.joined(separator: ", "))]")
        }
        if !hints.isEmpty { fields.append("hints: {\(hints.joined(separator: ", "))}") }
        return "{\(fields.joined(separator: ", "))}"
    }
}

/// Endpoints that share their port numbers.
struct SliceObject: Sendable {
    var endpoints: [EndpointObject]
    /// The number behind every port of the service.
    var port: UInt16 = 8080
    /// Names of the service's ports that it feeds; nil: all of them.
    var portNames: Set<String>?
    /// Relative share of each endpoint, by annotation.
    var weight: Int?

    init(
        _ endpoints: [EndpointObject], port: UInt16 = 8080, portNames: Set<String>? = nil, weight: Int? = nil
    ) {
        self.endpoints = endpoints
        self.port = port
        self.portNames = portNames
        self.weight = weight
    }

    /// YAML documents: one slice for each family.
    func manifests(of service: ServiceObject, number: Int) -> [String] {
        ["IPv4", "IPv6"].map { family in
            let isV6 = family == "IPv6"
            let texts = endpoints.compactMap { endpoint in
                endpoint.addresses.first { $0.contains(":") == isV6 }.map { endpoint.text($0) }
            }
            let ports = service.ports.filter { portNames?.contains($0.name) ?? true }.map {
                "{name: \($0.name), protocol: \($0.protocolName), port: \(port)}"
            }
            return """
                apiVersion: discovery.k8s.io/v1
                kind: EndpointSlice
                metadata:
                  name: \(service.name)-\(number)-\(family.lowercased())
                  namespace: test
                  labels: {kubernetes.io/service-name: \(service.name)}
                  annotations: {\(weight.map { "martlet.dev/weight: \"\($0)\"" } ?? "")}
                addressType: \(family)
                ports: [\(ports.joined(separator: ", "))]
                endpoints: [\(texts.joined(separator: ", "))]
                """
        }
    }
}
