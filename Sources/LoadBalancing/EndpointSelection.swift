// Which endpoints of a service port are used on this node: readiness, the terminating fallbacks and topology
// (EP-11…EP-15, TOPO-1…TOPO-10). Whether a list is wanted at all is decided in TrafficPolicies (EP-21).

package import NetworkTypes

package struct EndpointSelection: Hashable, Sendable {
    /// What a list was made of.
    package enum Basis: Hashable, Sendable {
        /// Ready endpoints.
        case ready
        /// Ready endpoints hinted for this node (TOPO-2), or for its zone (TOPO-1).
        case readyHintedForNode
        case readyHintedForZone
        /// No ready one is left: those serving while they terminate (EP-13, EP-14).
        case terminating
    }

    /// Ordered by address and port, each once; empty if the list is not wanted.
    package let cluster: [Backend]
    package let clusterBasis: Basis
    /// Those on this node, whatever hints say (TOPO-6).
    package let local: [Backend]
    package let localBasis: Basis
    /// Some endpoint anywhere could be used: decides between reject and drop (EP-15).
    package let hasUsable: Bool
    /// Every endpoint with the serving condition, and every ready one, used or not: flows to them are not stale (CT-3).
    /// A published endpoint that is not serving (EP-16) is among them, or its flows would be cut as they begin.
    package let serving: [AddressAndPort]

    /// `candidates` are ordered by address and port, each once.
    init(_ candidates: [EndpointCandidate], wantsCluster: Bool, wantsLocal: Bool) {
        let hasReady = candidates.contains { $0.isReady }
        let hasReadyLocal = candidates.contains { $0.isReady && $0.isLocal }
        clusterBasis = hasReady ? Self.topology(of: candidates) : .terminating
        localBasis = hasReadyLocal ? .ready : .terminating
        hasUsable = hasReady || candidates.contains { $0.isServingWhileTerminating }
        let (clusterBasis, localBasis) = (clusterBasis, localBasis)
        cluster = wantsCluster ? candidates.backends { $0.isUsable(clusterBasis) } : []
        local = wantsLocal ? candidates.backends { $0.isLocal && $0.isUsable(localBasis) } : []
        serving = candidates.compactMap { $0.isReady || $0.traits.contains(.serving) ? $0.address : nil }
    }

    /// One mode for all endpoints, never a partial filter: node hints, else zone hints, else none (TOPO-3). Only ready
    /// endpoints are asked (TOPO-4); each must have hints of the kind, and one must name us (TOPO-1, TOPO-2, TOPO-5).
    private static func topology(of candidates: [EndpointCandidate]) -> Basis {
        var common: EndpointCandidate.Traits = [.hasNodeHints, .hasZoneHints]
        var present: EndpointCandidate.Traits = []
        for candidate in candidates where candidate.isReady {
            common.formIntersection(candidate.traits)
            present.formUnion(candidate.traits)
        }
        if common.contains(.hasNodeHints), present.contains(.hintedForNode) { return .readyHintedForNode }
        if common.contains(.hasZoneHints), present.contains(.hintedForZone) { return .readyHintedForZone }
        return .ready
    }
}

extension EndpointCandidate {
    fileprivate func isUsable(_ basis: EndpointSelection.Basis) -> Bool {
        switch basis {
        case .ready: isReady
        case .readyHintedForNode: isReady && traits.contains(.hintedForNode)
        case .readyHintedForZone: isReady && traits.contains(.hintedForZone)
        case .terminating: isServingWhileTerminating
        }
    }
}

extension [EndpointCandidate] {
    fileprivate func backends(where isIncluded: (EndpointCandidate) -> Bool) -> [Backend] {
        var backends: [Backend] = []
        backends.reserveCapacity(count)
        for candidate in self where isIncluded(candidate) {
            backends.append(Backend(address: candidate.address, weight: candidate.weight, isLocal: candidate.isLocal))
        }
        return backends
    }
}
