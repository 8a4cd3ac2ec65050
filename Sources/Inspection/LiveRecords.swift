// What the maps hold about one destination: the same few look-ups that the programs make (bpf/lib/resolve.bpf.h), and
// the sets that the records refer to. What follows from them is in LiveExplainer.

package import BPF
import CDatapathABI
package import Datapath
package import DatapathImage
package import LoadBalancing
package import NetworkTypes
package import ServiceModel

package struct LiveRecords: Sendable {
    /// Under exactly the destination.
    package var exact: FrontendRecord?
    /// Whether the address has an entry that refuses its unused ports to sockets as well.
    package var hasWildcard: Bool
    /// Whether it has one that refuses them to packets of outside clients alone, where routes let it (decision 12).
    package var hasOutsideWildcard: Bool
    package var isInServiceCIDR: Bool
    /// Of `exact`, each policy; nil where a member is missing, which the programs refuse when they draw it.
    package var internalSet: [BackendRecord?]
    package var externalSet: [BackendRecord?]
    /// The owner of `exact`.
    package var service: ServicePortName?
    /// What `source_ranges` holds for the owner, if `exact` heeds it.
    package var ranges: [SourceRange]
    /// Whether they admit the source that is asked about.
    package var isSourceAdmitted: Bool

    package init(
        exact: FrontendRecord? = nil, hasWildcard: Bool = false, hasOutsideWildcard: Bool = false,
        isInServiceCIDR: Bool = false,
        internalSet: [BackendRecord?] = [], externalSet: [BackendRecord?] = [], service: ServicePortName? = nil,
        ranges: [SourceRange] = [], isSourceAdmitted: Bool = true
    ) {
        self.exact = exact
        self.hasWildcard = hasWildcard
        self.hasOutsideWildcard = hasOutsideWildcard
        self.isInServiceCIDR = isInServiceCIDR
        self.internalSet = internalSet
        self.externalSet = externalSet
        self.service = service
        self.ranges = ranges
        self.isSourceAdmitted = isSourceAdmitted
    }

    /// Cost: four look-ups and the members of two sets; with source ranges, a walk over those of all services.
    ///
    /// - Parameter source: whom the source ranges are asked about; nil: nobody.
    package init(
        _ destination: FrontendAddress, from source: IPAddress? = nil, in maps: borrowing DatapathMaps
    ) throws(BPFError) {
        self.init()
        let address = destination.address.address
        exact = try maps.frontends.lookup(FrontendKey(destination.address, protocol: destination.protocolKind))
        let wildcard = try maps.frontends.lookup(FrontendKey(wildcard: address))
        hasOutsideWildcard = wildcard?.has(DP_FRONTEND_OUTSIDE_ONLY) ?? false
        hasWildcard = wildcard != nil && !hasOutsideWildcard
        isInServiceCIDR = try maps.serviceCIDRs.lookup(PrefixKey(CIDR(address))) != nil
        guard let exact else { return }
        service = try maps.services.lookup(exact.fields.service_id)?.name
        let slots = try MappedArray<UInt64>(maps.slots, access: .readOnly)
        let backends = try MappedArray<BackendRecord>(maps.backends, access: .readOnly)
        internalSet = Self.members(of: exact.fields.internal, slots, backends)
        externalSet = Self.members(of: exact.fields.external, slots, backends)
        try readRanges(of: exact, source, maps)
    }

    private mutating func readRanges(
        of record: FrontendRecord, _ source: IPAddress?, _ maps: borrowing DatapathMaps
    ) throws(BPFError) {
        guard record.hasSourceRanges else { return }
        let id = record.fields.service_id
        for (key, admission) in try maps.sourceRanges.entries() where key.serviceID == id {
            guard let range = key.range else { continue }
            ranges.append(SourceRange(range, SourceAdmission(rawValue: admission)))
        }
        guard let source else { return }
        let found = try maps.sourceRanges.lookup(SourceRangeKey(CIDR(source), serviceID: id))
        isSourceAdmitted = found == SourceAdmission.allow.rawValue
    }

    /// As set_member of bpf/lib/choose.bpf.h: what is outside of the arena, or no backend, is none.
    private static func members(
        of choice: dp_choice, _ slots: borrowing MappedArray<UInt64>, _ backends: borrowing MappedArray<BackendRecord>
    ) -> [BackendRecord?] {
        guard choice.action == UInt8(DP_ACTION_FORWARD.rawValue) else { return [] }
        guard choice.setRange.upperBound <= slots.count else { return [nil] }
        return (0..<Int(choice.set_count)).map { position in
            let pair = slots.read(choice.setRange.lowerBound + position / 2)
            let id = Int(position.isMultiple(of: 2) ? pair & 0xffff_ffff : pair >> 32)
            guard id > 0, id < backends.count else { return nil }
            let record = backends.read(id)
            return record.address.port == 0 ? nil : record
        }
    }
}
