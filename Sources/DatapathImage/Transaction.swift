// What has to be written to get from what the maps hold to what they should hold, in the order that keeps every packet
// on a whole configuration: fresh space first, then the flip, then removals; space is reused after a grace period
// only. Plain data; the Reconciler performs it. The text form is in Transaction+Text.swift.

package import NetworkTypes

package struct Transaction: Hashable, Sendable {
    package struct BackendWrite: Hashable, Sendable {
        package var id: UInt32
        /// `BackendRecord.free` gives the element back.
        package var record: BackendRecord

        package init(id: UInt32, record: BackendRecord) {
            self.id = id
            self.record = record
        }
    }

    package struct ServiceWrite: Hashable, Sendable {
        package var id: UInt32
        package var record: ServiceRecord

        package init(id: UInt32, record: ServiceRecord) {
            self.id = id
            self.record = record
        }
    }

    package struct SourceRangeWrite: Hashable, Sendable {
        package var key: SourceRangeKey
        package var admission: SourceAdmission

        package init(key: SourceRangeKey, admission: SourceAdmission) {
            self.key = key
            self.admission = admission
        }
    }

    package struct FrontendUpdate: Hashable, Sendable {
        package var key: FrontendKey
        package var record: FrontendRecord
        /// What the map is believed to hold until then; nil: nothing. If the update fails, this stays visible.
        package var previous: FrontendRecord?

        package init(key: FrontendKey, record: FrontendRecord, previous: FrontendRecord? = nil) {
            self.key = key
            self.record = record
            self.previous = previous
        }
    }

    package struct FrontendRemoval: Hashable, Sendable {
        package var key: FrontendKey
        /// What stays visible if the removal fails; nil: a record that contradicts itself.
        package var previous: FrontendRecord?

        package init(key: FrontendKey, previous: FrontendRecord? = nil) {
            self.key = key
            self.previous = previous
        }
    }

    /// Space that nothing refers to once phases 2 and 3 are done. It is handed back with
    /// `DatapathImage.reclaim(through:visible:)` after the grace period.
    package struct Quarantined: Hashable, Sendable {
        package var slotRanges: [Range<UInt32>] = []
        package var backendIDs: [UInt32] = []
        package var serviceIDs: [UInt32] = []
        /// The backends that are named in those of `slotRanges` which are backend sets.
        package var members: [Range<UInt32>: [UInt32]] = [:]
        /// Whether some of `slotRanges` may be sets whose members nobody knows: damage of an earlier run.
        package var isUnreadable = false

        package init() {}

        package var isEmpty: Bool { slotRanges.isEmpty && backendIDs.isEmpty && serviceIDs.isEmpty }
    }

    /// Rises by one with each transaction of an image; names the space that is quarantined.
    package var generation: UInt64 = 0

    // Phase 1: fresh space, which nobody sees yet.
    package var slots = SlotWrites()
    /// Ordered by id.
    package var backends: [BackendWrite] = []
    /// Ordered by id.
    package var services: [ServiceWrite] = []
    /// In the order of `SourceRangeKey.narrowerFirst`. Those of frontends in force count at once.
    package var sourceRanges: [SourceRangeWrite] = []

    // Phase 2: the flip. Each frontend changes with one write of one map element.
    /// Ordered by key, without duplicates.
    package var frontends: [FrontendUpdate] = []
    package var nodePorts: [NodePortKey] = []
    package var serviceCIDRs: [PrefixKey] = []

    // Phase 3: removals.
    package var removedFrontends: [FrontendRemoval] = []
    package var removedNodePorts: [NodePortKey] = []
    package var removedServiceCIDRs: [PrefixKey] = []
    /// In the order of `SourceRangeKey.widerFirst`.
    package var removedSourceRanges: [SourceRangeKey] = []
    /// Names of service ids whose grace period is over.
    package var removedServices: [UInt32] = []

    // Phase 4: what follows from it.
    package var quarantined = Quarantined()
    /// Ordered by service id and family.
    package var staleSockets: [StaleSockets] = []
    /// Ordered by service id.
    package var lostAffinity: [LostAffinity] = []

    package init() {}

    /// Whether there is nothing to write, to remove or to tell.
    package var isEmpty: Bool {
        slots.isEmpty && backends.isEmpty && services.isEmpty && frontends.isEmpty && nodePorts.isEmpty
            && serviceCIDRs.isEmpty && removedFrontends.isEmpty && removedNodePorts.isEmpty
            && removedServiceCIDRs.isEmpty && sourceRanges.isEmpty && removedSourceRanges.isEmpty
            && removedServices.isEmpty && quarantined.isEmpty && staleSockets.isEmpty
            && lostAffinity.isEmpty
    }
}

/// Sockets of a service port that may still be bound to an endpoint that no longer serves.
package struct StaleSockets: Hashable, Sendable {
    package var serviceID: UInt32
    /// TCP or UDP.
    package var protocolKind: TransportProtocol
    package var family: AddressFamily
    /// A socket of the service and family to an address that is not among these is stale (CT-3). Ordered; never empty:
    /// a service without any serving endpoint keeps its sockets (CT-4).
    package var serving: [AddressAndPort]
    /// Those that stopped serving, as far as known. Ordered. Empty in a sweep over everything, as after a restart.
    package var lost: [AddressAndPort]
    /// Whether these sockets have been looked through before, and this is for those that were just connecting then.
    package var isRepeat = false

    package init(
        serviceID: UInt32, protocol protocolKind: TransportProtocol, family: AddressFamily,
        serving: [AddressAndPort], lost: [AddressAndPort]
    ) {
        self.serviceID = serviceID
        self.protocolKind = protocolKind
        self.family = family
        self.serving = serving
        self.lost = lost
    }
}

/// Affinity records that must not be found again should the backend return (AFF-4, AFF-5).
package struct LostAffinity: Hashable, Sendable {
    package var serviceID: UInt32
    /// Ordered, not empty.
    package var backendIDs: [UInt32]

    package init(serviceID: UInt32, backendIDs: [UInt32]) {
        self.serviceID = serviceID
        self.backendIDs = backendIDs
    }
}
