// A service as these tests think of it, and the manifests that it comes to: one port, TCP and UDP, both families.

import World

struct PublishedService {
    var name = "web"
    var clusterIPs = ["10.96.0.10", "fd96::10"]
    var port: UInt16 = 80
    var nodePort: UInt16 = 0
    var targetPort = Site.backendPort
    var loadBalancerIPs: [String] = []
    var externalIPs: [String] = []
    var isExternalLocal = false
    var affinitySeconds: Int?
    var sourceRanges: [String] = []
    var annotations: [String: String] = [:]
    /// Pods with the names of their nodes.
    var endpoints: [(pod: Probe, node: String)] = []

    /// With every kind of frontend.
    static func everywhere(_ endpoints: [(pod: Probe, node: String)]) -> PublishedService {
        PublishedService(
            nodePort: 30080, loadBalancerIPs: ["203.0.113.5", "fd99::5"], externalIPs: ["203.0.113.6", "fd99::6"],
            endpoints: endpoints)
    }

    var manifest: String {
        let type = !loadBalancerIPs.isEmpty ? "LoadBalancer" : nodePort != 0 ? "NodePort" : "ClusterIP"
        let ports = ["TCP", "UDP"].map { kind in
            let node = nodePort == 0 ? "" : ", nodePort: \(nodePort)"
            return "{name: \(kind.lowercased()), protocol: \(kind), port: \(port)\(node)}"
        }
        var spec = [
            "type: \(type)", "clusterIP: \"\(clusterIPs[0])\"", "clusterIPs: [\(quoted(clusterIPs))]",
            "ipFamilies: [IPv4, IPv6]", "ports: [\(ports.joined(separator: ", "))]",
            "externalIPs: [\(quoted(externalIPs))]",
            "externalTrafficPolicy: \(isExternalLocal ? "Local" : "Cluster")",
            "loadBalancerSourceRanges: [\(quoted(sourceRanges))]",
        ]
        if let affinitySeconds {
            spec.append("sessionAffinity: ClientIP")
            spec.append("sessionAffinityConfig: {clientIP: {timeoutSeconds: \(affinitySeconds)}}")
        }
        let ingress = loadBalancerIPs.map { "{ip: \"\($0)\"}" }.joined(separator: ", ")
        let notes = annotations.map { "\"\($0)\": \"\($1)\"" }.sorted().joined(separator: ", ")
        let service = """
            apiVersion: v1
            kind: Service
            metadata: {name: \(name), namespace: test, annotations: {\(notes)}}
            spec: {\(spec.joined(separator: ", "))}
            status: {loadBalancer: {ingress: [\(ingress)]}}
            """
        return ([service] + [false, true].map { slice(isV6: $0) }).joined(separator: "\n---\n")
    }

    private func slice(isV6: Bool) -> String {
        let ports = ["tcp", "udp"].map { "{name: \($0), protocol: \($0.uppercased()), port: \(targetPort)}" }
        let items = endpoints.map { pod, node in
            "{addresses: [\"\(isV6 ? pod.v6 : pod.v4)\"], nodeName: \(node), conditions: {ready: true}}"
        }
        return """
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {name: \(name)-\(isV6 ? 6 : 4), namespace: test, labels: {kubernetes.io/service-name: \(name)}}
            addressType: \(isV6 ? "IPv6" : "IPv4")
            ports: [\(ports.joined(separator: ", "))]
            endpoints: [\(items.joined(separator: ", "))]
            """
    }

    private func quoted(_ texts: [String]) -> String { texts.map { "\"\($0)\"" }.joined(separator: ", ") }
}
