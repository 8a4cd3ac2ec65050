// Who connects, and what the rules take the source for: pod-local, node-local or outside (MASQ-9, TP-8…TP-10).

package import NetworkTypes

package enum TrafficSource: Hashable, Sendable {
    /// A pod; without an address any pod of this node.
    case pod(IPAddress?)
    /// A process of this node; without an address it sends from the node's own IP, where that is known.
    case node(IPAddress?)
    case localhost
    /// A client that is neither.
    case external(IPAddress?)

    /// Reads `KIND[:ADDRESS]`, such as `pod`, `pod:10.0.1.2` or `external:2001:db8::1`; brackets around an IPv6
    /// address are allowed. Nil for anything else.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        var address: IPAddress?
        if parts.count == 2 {
            var host = parts[1]
            if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
            guard let parsed = IPAddress(host) else { return nil }
            address = parsed
        }
        switch (parts[0], address) {
        case ("pod", _): self = .pod(address)
        case ("node", _): self = .node(address)
        case ("external", _): self = .external(address)
        case ("localhost", nil): self = .localhost
        case (_, _): return nil
        }
    }
}

extension TrafficSource: CustomStringConvertible {
    /// A noun for sentences.
    package var description: String {
        switch self {
        case .pod(let address): "pod" + (address.map { " \($0)" } ?? "")
        case .node(let address): "node process" + (address.map { " at \($0)" } ?? "")
        case .localhost: "node process"
        case .external(let address): "outside client" + (address.map { " \($0)" } ?? "")
        }
    }
}

/// A source on one connection, as the rules classify it.
struct SourceStanding {
    enum Place {
        /// The detector recognises it (MASQ-9).
        case podLocal
        /// Its address is one of this node's (TP-10).
        case nodeLocal
        case outside
    }

    let place: Place
    /// The source address of its packets; nil when unknown.
    let address: IPAddress?

    /// The detector is asked before the node's addresses, as nftables mode does.
    init(_ source: TrafficSource, to destination: IPAddress, node: NodeView, detector: NodeSettings.LocalDetector) {
        let family = destination.family
        let address = source.address(to: destination, node: node)
        let ownsAddress = address.map { $0.isLoopback || node.addresses.contains($0) } ?? false
        self.address = address
        switch source {
        case .pod:
            let isPodLocal =
                ownsAddress
                ? detector.matches(address, of: family, on: node)
                : detector.recognisesPod(at: address, of: family, on: node)
            place = isPodLocal ? .podLocal : ownsAddress ? .nodeLocal : .outside
        case .node, .localhost:
            place = detector.matches(address, of: family, on: node) ? .podLocal : .nodeLocal
        case .external:
            place = detector.matches(address, of: family, on: node) ? .podLocal : ownsAddress ? .nodeLocal : .outside
        }
    }
}

extension TrafficSource {
    /// An address of the other family says nothing about this connection.
    fileprivate func address(to destination: IPAddress, node: NodeView) -> IPAddress? {
        let sources = node.ownSources(of: destination.family)
        let own = destination.isLoopback ? destination : sources.count == 1 ? sources[0] : nil
        let given: IPAddress? =
            switch self {
            case .pod(let address), .external(let address): address
            case .node(let address): address ?? own
            case .localhost: own
            }
        return given?.family == destination.family ? given : nil
    }
}

extension NodeSettings.LocalDetector {
    /// Whether there is a detector in the family at all (MASQ-8, MASQ-9).
    func exists(for family: AddressFamily, on node: NodeView) -> Bool {
        switch self {
        case .none: false
        case .clusterCIDR, .nodeCIDR: !ranges(of: family, on: node).isEmpty
        case .bridgeInterface, .interfaceNamePrefix: true
        }
    }

    /// By address alone. The interface modes know no addresses, and never match what the node itself sends.
    fileprivate func matches(_ address: IPAddress?, of family: AddressFamily, on node: NodeView) -> Bool {
        guard let address else { return false }
        return ranges(of: family, on: node).contains(address: address)
    }

    /// A pod whose address is unknown is taken for one of this node's, which every detector means to recognise.
    fileprivate func recognisesPod(at address: IPAddress?, of family: AddressFamily, on node: NodeView) -> Bool {
        switch self {
        case .none: false
        case .clusterCIDR, .nodeCIDR:
            address == nil ? exists(for: family, on: node) : matches(address, of: family, on: node)
        case .bridgeInterface, .interfaceNamePrefix: true
        }
    }

    /// The range of sources that are pod-local in a family: one at most. The interface modes have none.
    package func range(of family: AddressFamily, on node: NodeView) -> CIDR? { ranges(of: family, on: node).first }

    private func ranges(of family: AddressFamily, on node: NodeView) -> [CIDR] {
        switch self {
        case .clusterCIDR(let ranges): ranges.filter { $0.family == family }
        case .nodeCIDR: node.podCIDRs.first { $0.family == family }.map { [$0] } ?? []
        case .none, .bridgeInterface, .interfaceNamePrefix: []
        }
    }
}
