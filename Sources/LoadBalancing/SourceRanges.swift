// loadBalancerSourceRanges of one family: who may use the load-balancer addresses (LBSR-1…LBSR-7), and the same turned
// round, where the service's annotation says that its ranges name those who may not.

import NetworkTypes
import ServiceModel

struct SourceRanges {
    /// Ordered, without duplicates; empty: unrestricted (LBSR-5, LBSR-6).
    let ranges: [CIDR]
    let policy: Service.SourceRangesPolicy
    let admitsHostSockets: Bool
    let admitsPodSockets: Bool
    /// Of the service's load-balancer addresses those that are admitted as sources as well (LBSR-4).
    let virtualSources: [IPAddress]

    /// `virtualAddresses` are the service's load-balancer addresses of the family.
    init(
        _ service: Service, family: AddressFamily, virtualAddresses: [IPAddress], node: NodeView, settings: NodeSettings
    ) {
        policy = service.sourceRangesPolicy
        let own = service.loadBalancerSourceRanges.filter { $0.family == family }
        guard Self.isRestriction(own, policy) else {
            (ranges, admitsHostSockets, admitsPodSockets, virtualSources) = ([], true, true, [])
            return
        }
        let list = SourceList(ranges: own, policy: policy)
        // An unknown address can be any.
        let anywhere = CIDR.everything(of: family)
        let pods = node.podRanges(of: family, detector: settings.localDetector)
        ranges = Set(own).sorted()
        let sources = node.ownSources(of: family)
        // A process may bind to any of the node's addresses, so one that is admitted is enough (LBSR-4).
        admitsHostSockets = sources.isEmpty ? list.admits(all: anywhere) : sources.contains { list.admits($0) }
        let admitsNode = node.nodeIPs[family].map { list.admits($0) } ?? false
        virtualSources = admitsNode ? virtualAddresses : []
        admitsPodSockets = (pods.isEmpty ? [anywhere] : pods).allSatisfy { list.admits(all: $0) }
    }

    /// A /0 among those who may lifts the restriction (LBSR-6).
    private static func isRestriction(_ ranges: [CIDR], _ policy: Service.SourceRangesPolicy) -> Bool {
        switch policy {
        case .allow: !ranges.isEmpty && !ranges.contains(where: \.isEverything)
        case .deny: !ranges.isEmpty
        }
    }
}

/// Ranges of one family and what they are a list of.
struct SourceList {
    let ranges: [CIDR]
    let policy: Service.SourceRangesPolicy

    func admits(_ address: IPAddress) -> Bool {
        ranges.contains(address: address) == (policy == .allow)
    }

    /// Whether every address of the range is admitted.
    func admits(all range: CIDR) -> Bool {
        switch policy {
        case .allow: ranges.covers(range)
        case .deny: !ranges.contains { $0.contains(range) || range.contains($0) }
        }
    }
}
