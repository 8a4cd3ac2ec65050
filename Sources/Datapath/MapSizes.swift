// How much each map holds. Sizes are fixed when a map is created: pinned maps keep theirs. What they cost is published
// by `martlet status` and in docs/operations.md.

package struct MapSizes: Hashable, Sendable {
    /// Entries: frontends of all services, plus one wildcard for each virtual address.
    package var frontends: UInt32
    /// Elements: distinct backends of all services, plus one.
    package var backends: UInt32
    /// 8-byte words: backend sets at 4 bytes a backend, Maglev tables at 1 to 4 bytes a slot, twice during a change.
    package var slotWords: UInt32
    /// Service ports, plus one.
    package var services: UInt32
    /// Distinct (node port, protocol) pairs.
    package var nodePorts: UInt32
    package var serviceCIDRs: UInt32
    /// Connected sockets with reverse state.
    package var connections: UInt32
    /// Unconnected UDP sockets that talk to services, one page for every four services of a socket.
    package var udpPages: UInt32
    /// Clients with session affinity, for each service port.
    package var affinity: UInt32
    /// Prefixes of loadBalancerSourceRanges, over all services.
    package var sourceRanges: UInt32
    /// Flows of packets that have a record: translated ones, and DSR flows in slots that moved. Memory is taken as they
    /// come.
    package var flows: UInt32
    /// Bytes of the event ring, and of that of captures: a power of two of at least a page.
    package var eventBytes: UInt32

    package init(
        frontends: UInt32 = 131_072, backends: UInt32 = 131_072, slotWords: UInt32 = 2_097_152,
        services: UInt32 = 65_536, nodePorts: UInt32 = 32_768, serviceCIDRs: UInt32 = 1024,
        connections: UInt32 = 524_288, udpPages: UInt32 = 262_144, affinity: UInt32 = 65_536,
        sourceRanges: UInt32 = 65_536, flows: UInt32 = 1_048_576, eventBytes: UInt32 = 1_048_576
    ) {
        self.frontends = frontends
        self.backends = backends
        self.slotWords = slotWords
        self.services = services
        self.nodePorts = nodePorts
        self.serviceCIDRs = serviceCIDRs
        self.connections = connections
        self.udpPages = udpPages
        self.affinity = affinity
        self.sourceRanges = sourceRanges
        self.flows = flows
        self.eventBytes = eventBytes
    }
}
