// What the agent of a soak is told: one service with all servers as endpoints, in both families, and a marker service that
// changes with every version, so that the maps show when a version is in force.

import World

struct SoakManifest {
    static let addresses = ["172.30.0.10", "fd99::10"]
    static let port: UInt16 = 80
    static let markerAddress = "172.31.255.254"

    /// In the order of the servers.
    var states: [EndpointState]
    let pods: [Probe]
    private(set) var version: UInt16 = 0

    init(pods: [Probe]) {
        self.pods = pods
        states = pods.map { _ in .ready }
    }

    /// The names of the servers that new connections may reach.
    var members: Set<String> {
        Set(zip(pods, states).filter { $0.1 == .ready }.map(\.0.name))
    }

    /// The next version as text.
    mutating func next() -> String {
        version += 1
        return [node, service, slice("IPv4"), slice("IPv6"), marker].joined(separator: "\n---\n") + "\n"
    }

    private var node: String {
        """
        apiVersion: v1
        kind: Node
        metadata: {name: worker-1}
        spec: {podCIDRs: ["10.0.1.0/24", "fd00:1::/64"]}
        status: {addresses: [{type: InternalIP, address: "192.168.50.1"}, {type: InternalIP, address: "fd50::1"}]}
        """
    }

    private var service: String {
        """
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: soak}
        spec:
          ipFamilies: [IPv4, IPv6]
          clusterIP: "\(Self.addresses[0])"
          clusterIPs: ["\(Self.addresses[0])", "\(Self.addresses[1])"]
          ports:
          - {name: tcp, protocol: TCP, port: \(Self.port)}
          - {name: udp, protocol: UDP, port: \(Self.port)}
        """
    }

    private func slice(_ family: String) -> String {
        let endpoints = zip(pods, states).compactMap { pod, state -> String? in
            let address = family == "IPv4" ? pod.v4 : pod.v6
            let conditions: String
            switch state {
            case .ready: conditions = "ready: true, serving: true, terminating: false"
            case .terminating: conditions = "ready: false, serving: true, terminating: true"
            case .removed: return nil
            }
            return "{addresses: [\"\(address)\"], conditions: {\(conditions)}, nodeName: worker-1}"
        }
        return """
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata:
              name: web-\(family.lowercased())
              namespace: soak
              labels: {kubernetes.io/service-name: web}
            addressType: \(family)
            ports: [{name: tcp, protocol: TCP, port: 8080}, {name: udp, protocol: UDP, port: 8080}]
            endpoints: [\(endpoints.joined(separator: ", "))]
            """
    }

    private var marker: String {
        """
        apiVersion: v1
        kind: Service
        metadata: {name: marker, namespace: soak}
        spec:
          clusterIP: "\(Self.markerAddress)"
          clusterIPs: ["\(Self.markerAddress)"]
          ports: [{name: version, protocol: TCP, port: \(version)}]
        """
    }
}
