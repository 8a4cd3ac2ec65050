// The manifests that these tests publish, as short as they can be: services with one port, and their slices.

/// A ClusterIP service with one port named `web`.
struct TestService {
    var name: String
    var address: String
    var port = 80
    var transport = "TCP"
    var targetPort = 8080
    /// Addresses of its endpoints; empty: no slice at all.
    var endpoints: [String] = []
    /// The nodes of the endpoints, in their order; those beyond have none.
    var endpointNodes: [String] = []
    /// RFC 3339; decides who keeps an address that two services claim.
    var created: String?
    var type = "ClusterIP"
    /// 0: none.
    var nodePort = 0
    /// The slice's annotation about when its change happened, in APIScene.
    var triggerTime: String?
    /// More lines of its spec, such as `sessionAffinity: ClientIP`.
    var spec: [String] = []

    var yaml: String {
        endpoints.isEmpty ? service : service + "\n---\n" + slice
    }

    var service: String {
        let creation = created.map { ", creationTimestamp: \"\($0)\"" } ?? ""
        let node = nodePort == 0 ? "" : ", nodePort: \(nodePort)"
        let more = spec.map { "\n  \($0)" }.joined()
        return """
            apiVersion: v1
            kind: Service
            metadata: {namespace: shop, name: \(name)\(creation)}
            spec:
              type: \(type)
              clusterIP: \(address)
              ports: [{name: web, protocol: \(transport), port: \(port), targetPort: \(targetPort)\(node)}]\(more)
            """
    }

    var slice: String {
        let endpoints = endpoints.enumerated().map { index, address in
            let node = index < endpointNodes.count ? ", nodeName: \(endpointNodes[index])" : ""
            return "{addresses: [\(address)], conditions: {ready: true}\(node)}"
        }
        return """
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: {namespace: shop, name: \(name)-1, labels: {kubernetes.io/service-name: \(name)}}
            addressType: IPv4
            ports: [{name: web, protocol: \(transport), port: \(targetPort)}]
            endpoints: [\(endpoints.joined(separator: ", "))]
            """
    }
}
