// What the maps hold: read from the kernel at start and for an audit, and what an image says they should hold.

package struct MapContents: Hashable, Sendable {
    package var frontends: [FrontendKey: FrontendRecord]
    /// Index is the backend id, so element 0 is free. Free elements at the end may be left out.
    package var backends: [BackendRecord]
    /// The arena from word 0 on, at least as far as `slotWordsInUse(by:)` says. Later words may be left out.
    package var slots: [UInt64]
    package var services: [UInt32: ServiceRecord]
    package var nodePorts: Set<NodePortKey>
    package var serviceCIDRs: Set<PrefixKey>
    package var sourceRanges: [SourceRangeKey: SourceAdmission]

    package init(
        frontends: [FrontendKey: FrontendRecord] = [:], backends: [BackendRecord] = [], slots: [UInt64] = [],
        services: [UInt32: ServiceRecord] = [:], nodePorts: Set<NodePortKey> = [], serviceCIDRs: Set<PrefixKey> = [],
        sourceRanges: [SourceRangeKey: SourceAdmission] = [:]
    ) {
        self.frontends = frontends
        self.backends = backends
        self.slots = slots
        self.services = services
        self.nodePorts = nodePorts
        self.serviceCIDRs = serviceCIDRs
        self.sourceRanges = sourceRanges
    }

    /// How many words of the arena a reader has to copy: the end of the last range that a frontend refers to. May be
    /// more than the arena has, if a record contradicts itself.
    package static func slotWordsInUse(by frontends: [FrontendKey: FrontendRecord]) -> Int {
        frontends.values.reduce(0) { end, record in
            record.slotRanges.reduce(end) { max($0, $1.upperBound) }
        }
    }
}
