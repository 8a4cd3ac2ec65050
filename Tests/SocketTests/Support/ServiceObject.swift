// A Service as tests think of it, and the manifest that it comes to. Where it can be dialled is asked here too, so that no
// test spells out an address twice.

import HostCalls
import ProbeProtocol
import World

/// The four kinds of frontend (docs/glossary.md).
enum FrontendKind: String, CaseIterable, Sendable {
    case clusterIP, nodePort, externalIP, loadBalancer
}

/// A Service of namespace "test".
struct ServiceObject: Sendable {
    struct Port: Sendable {
        var name: String
        /// Nil: SCTP, which no probe speaks.
        var transport: Transport?
        var number: UInt16
        /// 0: none.
        var nodePort: UInt16 = 0

        var protocolName: String { transport?.kubernetesName ?? "SCTP" }
    }

    /// What the manifest makes of the ClusterIPs.
    enum Form: String, CaseIterable, Sendable {
        case usual, headless, withoutClusterIP
        /// With the ClusterIPs left over.
        case externalName
    }

    var name: String
    /// One of each family; where the form publishes none, those that it would have.
    var clusterIPs: [String]
    var form = Form.usual
    var labels: [String: String] = [:]
    var ports: [Port]
    var externalIPs: [String] = []
    var loadBalancerIPs: [String] = []
    /// Of all load-balancer addresses; nil: unset.
    var ipMode: String?
    var sourceRanges: [String] = []
    var isInternalLocal = false
    var isExternalLocal = false
    /// Session affinity with this time-out; nil: none.
    var affinitySeconds: Int?
    var annotations: [String: String] = [:]

    /// The address to dial, on the first port of the transport. `node` is the node's own address for a NodePort.
    func frontend(
        _ kind: FrontendKind, _ transport: Transport, _ family: AddressFamily, on node: Node
    ) -> SocketAddress {
        let port = ports.first { $0.transport == (transport == .mptcp ? .tcp : transport) }
        let isV6 = family == .v6
        func choose(_ addresses: [String]) -> String { addresses.first { $0.contains(":") == isV6 } ?? "" }
        switch kind {
        case .clusterIP: return SocketAddress(choose(clusterIPs), port?.number ?? 0)
        case .externalIP: return SocketAddress(choose(externalIPs), port?.number ?? 0)
        case .loadBalancer: return SocketAddress(choose(loadBalancerIPs), port?.number ?? 0)
        case .nodePort: return SocketAddress(isV6 ? node.v6 : node.v4, port?.nodePort ?? 0)
        }
    }

    private var type: String {
        if form == .externalName { return "ExternalName" }
        if !loadBalancerIPs.isEmpty { return "LoadBalancer" }
        return ports.contains { $0.nodePort != 0 } ? "NodePort" : "ClusterIP"
    }

    private var publishedClusterIPs: [String] {
        switch form {
        case .usual, .externalName: clusterIPs
        case .headless: ["None"]
        case .withoutClusterIP: []
        }
    }

    private var portTexts: [String] {
        ports.map { port in
            let nodePort = port.nodePort == 0 ? "" : ", nodePort: \(port.nodePort)"
            return "{name: \(port.name), protocol: \(port.protocolName), port: \(port.number)\(nodePort)}"
        }
    }

    private var ingressTexts: [String] {
        loadBalancerIPs.map { address in "{ip: \"\(address)\"\(ipMode.map { ", ipMode: \($0)" } ?? "")}" }
    }

    /// One YAML document.
    var manifest: String {
        let families = clusterIPs.map { $0.contains(":") ? "IPv6" : "IPv4" }
        let affinity = affinitySeconds.map {
            """
              sessionAffinity: ClientIP
              sessionAffinityConfig: {clientIP: {timeoutSeconds: \($0)}}
            """
        }
        return """
            apiVersion: v1
            kind: Service
            metadata:
              name: \(name)
              namespace: test
              labels: \(labels.quotedMapping)
              annotations: \(annotations.quotedMapping)
            spec:
              type: \(type)\(form == .externalName ? "\n  externalName: elsewhere.test" : "")
              ipFamilies: [\(families.joined(separator: ", "))]
              clusterIP: "\(publishedClusterIPs.first ?? "")"
              clusterIPs: \(publishedClusterIPs.quotedList)
              externalIPs: \(externalIPs.quotedList)
              loadBalancerSourceRanges: \(sourceRanges.quotedList)
              internalTrafficPolicy: \(isInternalLocal ? "Local" : "Cluster")
              externalTrafficPolicy: \(isExternalLocal ? "Local" : "Cluster")
              healthCheckNodePort: \(isExternalLocal ? 32000 : 0)
              ports: [\(portTexts.joined(separator: ", "))]
            \(affinity ?? "  sessionAffinity: None")
            status:
              loadBalancer:
                ingress: [\(ingressTexts.joined(separator: ", "))]
            """
    }
}

extension Transport {
    var kubernetesName: String { self == .udp ? "UDP" : "TCP" }
}

extension [String] {
    /// A YAML flow sequence.
    var quotedList: String { "[" + map { "\"\($0)\"" }.joined(separator: ", ") + "]" }
}

extension [String: String] {
    /// A YAML flow mapping.
    var quotedMapping: String {
        "{" + sorted { $0.key < $1.key }.map { "\($0.key): \"\($0.value)\"" }.joined(separator: ", ") + "}"
    }
}
