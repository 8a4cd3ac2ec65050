// loadBalancerSourceRanges of one family: who may use the load-balancer addresses (LBSR-1…LBSR-7).

import NetworkTypes

struct SourceRanges {
    /// Ordered, without duplicates; empty: unrestricted (LBSR-5, LBSR-6).
    let ranges: [CIDR]
    let admitsHostSockets: Bool
    let admitsPodSockets: Bool
    /// Some range holds the node's own IP (LBSR-4).
    let admitsVirtualSources: Bool

    init(_ all: [CIDR], family: AddressFamily, node: NodeView, settings: NodeSettings) {
        let own = all.filter { $0.family == family }
        guard !own.isEmpty, !own.contains(where: \.isEverything) else {
            (ranges, admitsHostSockets, admitsPodSockets, admitsVirtualSources) = ([], true, true, true)
            return
        }
        // An unknown address can be any, so that only ranges which cover everything admit it.
        let anywhere = CIDR.everything(of: family)
        let pods = node.podRanges(of: family, detector: settings.localDetector)
        ranges = Set(own).sorted()
        let sources = node.ownSources(of: family)
        // A process may bind to any of the node's addresses, so one that is admitted is enough (LBSR-4).
        admitsHostSockets = sources.isEmpty ? own.covers(anywhere) : sources.contains { own.contains(address: $0) }
        admitsVirtualSources = node.nodeIPs[family].map { own.contains(address: $0) } ?? false
        admitsPodSockets = (pods.isEmpty ? [anywhere] : pods).allSatisfy { own.covers($0) }
    }
}
