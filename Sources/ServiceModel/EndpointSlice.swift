// What an EndpointSlice says: addresses, their conditions and hints, and the ports that they all serve on. Unset
// conditions have their defaults here already (EP-9); which endpoints are used is decided in LoadBalancing.

package import NetworkTypes

package struct EndpointSlice: Hashable, Sendable {
    package var name: ObjectName
    /// The service that owns the slice: its namespace and the label `kubernetes.io/service-name` (EP-2).
    package var service: ObjectName
    /// Of `addressType`; FQDN slices are never facts (EP-3).
    package var family: AddressFamily
    /// The label `service.kubernetes.io/headless` is present: the slice is invisible to the proxy (SVC-8).
    package var isHeadless: Bool
    /// Without ports whose name or number is null or zero (EP-6).
    package var ports: [SlicePort]
    package var endpoints: [Endpoint]
    /// Relative share of each endpoint of this slice, from the annotation `martlet.dev/weight`; 1 unless given.
    package var weight: UInt32
    /// When what the slice tells of happened, in nanoseconds since 1970: its annotation
    /// `endpoints.kubernetes.io/last-change-trigger-time` (MET-3). Nil without a usable one.
    package var triggerTimeNanoseconds: Int64?

    package init(
        name: ObjectName, service: ObjectName, family: AddressFamily, isHeadless: Bool = false, ports: [SlicePort] = [],
        endpoints: [Endpoint] = [], weight: UInt32 = 1, triggerTimeNanoseconds: Int64? = nil
    ) {
        self.triggerTimeNanoseconds = triggerTimeNanoseconds
        self.name = name
        self.service = service
        self.family = family
        self.isHeadless = isHeadless
        self.ports = ports
        self.endpoints = endpoints
        self.weight = weight
    }

    /// Whether both say the same; when that happened does not matter.
    package func hasSameContent(as other: EndpointSlice) -> Bool {
        var other = other
        other.triggerTimeNanoseconds = triggerTimeNanoseconds
        return self == other
    }
}

package struct SlicePort: Hashable, Sendable {
    package var name: String
    package var protocolKind: TransportProtocol
    package var port: UInt16

    package init(name: String = "", protocol protocolKind: TransportProtocol = .tcp, port: UInt16) {
        self.name = name
        self.protocolKind = protocolKind
        self.port = port
    }
}

/// One endpoint of a slice: its first address only (EP-8).
package struct Endpoint: Hashable, Sendable {
    package var address: IPAddress
    package var nodeName: String?
    package var isReady: Bool
    package var isServing: Bool
    package var isTerminating: Bool
    /// Names in `hints.forZones`; empty when there is no such hint.
    package var zoneHints: [String]
    /// Names in `hints.forNodes`; empty when there is no such hint.
    package var nodeHints: [String]

    package init(
        address: IPAddress, nodeName: String? = nil, isReady: Bool = true, isServing: Bool = true,
        isTerminating: Bool = false, zoneHints: [String] = [], nodeHints: [String] = []
    ) {
        self.address = address
        self.nodeName = nodeName
        self.isReady = isReady
        self.isServing = isServing
        self.isTerminating = isTerminating
        self.zoneHints = zoneHints
        self.nodeHints = nodeHints
    }
}
