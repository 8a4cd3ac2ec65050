// How much the maps hold. Chosen when the maps are created; an image never asks for more (design: a full map is an
// error on a frontend's status, never silence).

package struct ImageLimits: Hashable, Sendable {
    /// Entries of `frontends`, wildcards included.
    package var frontends: Int
    /// Elements of `backends`; element 0 is never used.
    package var backends: Int
    /// 8-byte words of `slots`, at most 2^32.
    package var slotWords: Int
    /// Elements of `service_counters`, and entries of `services`; element 0 is never used.
    package var services: Int
    /// Entries of `node_ports`.
    package var nodePorts: Int
    /// Entries of `service_cidrs`.
    package var serviceCIDRs: Int
    /// Entries of `source_ranges`.
    package var sourceRanges: Int

    package init(
        frontends: Int = 262_144, backends: Int = 262_144, slotWords: Int = 4_194_304, services: Int = 65_536,
        nodePorts: Int = 65_536, serviceCIDRs: Int = 1024, sourceRanges: Int = 65_536
    ) {
        self.frontends = frontends
        self.backends = backends
        self.slotWords = slotWords
        self.services = services
        self.nodePorts = nodePorts
        self.serviceCIDRs = serviceCIDRs
        self.sourceRanges = sourceRanges
    }
}
