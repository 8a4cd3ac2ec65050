// The ground that packet tests stand on, in each family: who is where. Lab makes it so in the kernel.

import LoadBalancing
import NetworkTypes
import PacketKit
import ServiceModel
import Testing

/// The addresses of one family.
///
///     client -- gateway --+-- eth0 [this node] pod1 -- localPod, otherLocalPod
///                         +-- otherNode: remotePod, otherRemotePod
///                 eth1 [this node], narrower -- farNode: farPod
struct Ground: Hashable, Sendable, CustomTestStringConvertible {
    let family: AddressFamily

    static let both = AddressFamily.allCases.map { Ground(family: $0) }
    static let ipv4 = Ground(family: .ipv4)
    static let ipv6 = Ground(family: .ipv6)

    var testDescription: String { family == .ipv4 ? "IPv4" : "IPv6" }

    private func choose(_ ipv4: IPAddress, _ ipv6: IPAddress) -> IPAddress { family == .ipv4 ? ipv4 : ipv6 }

    /// On eth0.
    var node: IPAddress { choose("192.0.2.2", "2001:db8::2") }
    var gateway: IPAddress { choose("192.0.2.1", "2001:db8::1") }
    var otherNode: IPAddress { choose("192.0.2.3", "2001:db8::3") }
    /// On eth1.
    var nodeAtFarSide: IPAddress { choose("203.0.113.2", "2001:db8:1::2") }
    /// A router between the gateway and the client, or between this node and a backend.
    var router: IPAddress { choose("198.51.100.254", "2001:db8:c::fe") }

    var client: IPAddress { choose("198.51.100.7", "2001:db8:c::7") }
    var otherClient: IPAddress { choose("198.51.100.8", "2001:db8:c::8") }

    var localPod: IPAddress { choose("10.1.1.10", "fd00:0:0:1::10") }
    /// Behind the same device.
    var otherLocalPod: IPAddress { choose("10.1.1.11", "fd00:0:0:1::11") }
    var remotePod: IPAddress { choose("10.1.2.20", "fd00:0:0:2::20") }
    var otherRemotePod: IPAddress { choose("10.1.2.21", "fd00:0:0:2::21") }
    var farPod: IPAddress { choose("10.1.3.30", "fd00:0:0:3::30") }
    /// A pod's address that no route leads to.
    var lostPod: IPAddress { choose("10.9.9.9", "fd00:9::9") }

    var clusterIP: IPAddress { choose("172.30.0.1", "fd99::1") }
    var loadBalancerIP: IPAddress { choose("198.18.0.1", "2001:db8:f::1") }
    var externalIP: IPAddress { choose("198.18.0.2", "2001:db8:f::2") }
    /// In a ServiceCIDR, and no service's.
    var unownedServiceAddress: IPAddress { choose("172.30.99.99", "fd99::9999") }

    /// Headers of this family's IP packets, without options.
    var headerBytes: Int { family == .ipv4 ? 20 : 40 }

    /// Where clients find the service of `Lab.serve`.
    func frontend(_ kind: FrontendPlan.Kind) -> AddressAndPort {
        switch kind {
        case .clusterIP: AddressAndPort(address: clusterIP, port: Ground.port)
        case .nodePort: AddressAndPort(address: node, port: Ground.nodePort)
        case .externalIP: AddressAndPort(address: externalIP, port: Ground.port)
        case .loadBalancer: AddressAndPort(address: loadBalancerIP, port: Ground.port)
        }
    }

    static let port: UInt16 = 80
    static let nodePort: UInt16 = 30080
    static let backendPort: UInt16 = 8080

    static let ranges: [CIDR] = ["10.1.0.0/16", "fd00::/48"]
    static let serviceCIDRs: [CIDR] = ["172.30.0.0/16", "fd99::/108"]
    static let nodeName = "n1"
}

/// Link addresses.
enum Link {
    static let eth0: MACAddress = "02:00:00:00:00:02"
    static let eth1: MACAddress = "02:00:00:00:01:02"
    static let pod1: MACAddress = "02:00:00:00:02:02"
    static let gateway: MACAddress = "02:00:00:00:00:01"
    static let otherNode: MACAddress = "02:00:00:00:00:03"
    static let farNode: MACAddress = "02:00:00:00:01:03"
    static let localPod: MACAddress = "02:00:00:00:02:10"
    static let otherLocalPod: MACAddress = "02:00:00:00:02:11"
}

extension CIDR: ExpressibleByStringLiteral {
    public init(stringLiteral text: String) {
        guard let range = CIDR(text) else { preconditionFailure("not a range: \(text)") }
        self = range
    }
}
