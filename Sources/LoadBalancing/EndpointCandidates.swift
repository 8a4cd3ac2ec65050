// The endpoints of one service port, read from the slices of its service: which slices and ports count (EP-2…EP-8,
// SVC-8), and one entry for each address and port (EP-12, EP-17). What is used of them is decided in EndpointSelection.

import NetworkTypes
import ServiceModel

/// An endpoint as the rules see it from this node. No text is left in it, so that sorting and filtering is cheap.
struct EndpointCandidate: Hashable, Sendable {
    struct Traits: OptionSet, Hashable, Sendable {
        let rawValue: UInt8
        static let ready = Traits(rawValue: 1 << 0)
        static let serving = Traits(rawValue: 1 << 1)
        static let terminating = Traits(rawValue: 1 << 2)
        static let local = Traits(rawValue: 1 << 3)
        static let hasNodeHints = Traits(rawValue: 1 << 4)
        static let hintedForNode = Traits(rawValue: 1 << 5)
        static let hasZoneHints = Traits(rawValue: 1 << 6)
        static let hintedForZone = Traits(rawValue: 1 << 7)
    }

    var address: AddressAndPort
    var weight: UInt32
    var traits: Traits

    var isReady: Bool { traits.contains(.ready) }
    var isLocal: Bool { traits.contains(.local) }
    /// May serve while nothing ready is left (EP-13, EP-14).
    var isServingWhileTerminating: Bool { !isReady && traits.isSuperset(of: [.serving, .terminating]) }
}

/// The endpoints of a service in one family, before the ports are told apart.
struct ServiceEndpoints {
    private struct Slice {
        var ports: [SlicePort]
        var endpoints: [EndpointCandidate]
    }

    /// In the order of slice names.
    private let slices: [Slice]

    /// Slices of the other family and headless ones are invisible (EP-3, SVC-8).
    init(slices: [EndpointSlice], family: AddressFamily, node: NodeView) {
        self.slices = slices.compactMap { slice in
            guard slice.family == family, !slice.isHeadless, !slice.ports.isEmpty else { return nil }
            let weight = max(slice.weight, 1)
            let endpoints = slice.endpoints.compactMap { endpoint -> EndpointCandidate? in
                guard endpoint.address.family == family else { return nil }
                return EndpointCandidate(
                    address: AddressAndPort(address: endpoint.address, port: 0), weight: weight,
                    traits: traits(of: endpoint, on: node))
            }
            return Slice(ports: slice.ports, endpoints: endpoints)
        }
    }

    /// The union over all slice ports of this name and protocol (EP-5, EP-7), ordered by address and port, each once.
    func candidates(portName: String, protocol protocolKind: TransportProtocol) -> [EndpointCandidate] {
        var found: [EndpointCandidate] = []
        for slice in slices {
            for port in slice.ports where port.protocolKind == protocolKind && port.name == portName && port.port != 0 {
                found.reserveCapacity(found.count + slice.endpoints.count)
                for var endpoint in slice.endpoints {
                    endpoint.address.port = port.port
                    found.append(endpoint)
                }
            }
        }
        return found.mergedByAddress()
    }
}

private func traits(of endpoint: Endpoint, on node: NodeView) -> EndpointCandidate.Traits {
    var traits: EndpointCandidate.Traits = []
    if endpoint.isReady { traits.insert(.ready) }
    if endpoint.isServing { traits.insert(.serving) }
    if endpoint.isTerminating { traits.insert(.terminating) }
    if !node.name.isEmpty, endpoint.nodeName == node.name { traits.insert(.local) }
    if !endpoint.nodeHints.isEmpty {
        traits.insert(.hasNodeHints)
        if endpoint.nodeHints.contains(node.name) { traits.insert(.hintedForNode) }
    }
    if !endpoint.zoneHints.isEmpty {
        traits.insert(.hasZoneHints)
        if let zone = node.zone, endpoint.zoneHints.contains(zone) { traits.insert(.hintedForZone) }
    }
    return traits
}

extension [EndpointCandidate] {
    /// Ordered by address; of several entries with one address the first in order of preference remains.
    fileprivate consuming func mergedByAddress() -> [EndpointCandidate] {
        sort { $0.address == $1.address ? $0.preference > $1.preference : $0.address < $1.address }
        guard indices.dropFirst().contains(where: { self[$0].address == self[$0 - 1].address }) else { return self }
        var merged: [EndpointCandidate] = []
        merged.reserveCapacity(count)
        for candidate in self where merged.last?.address != candidate.address { merged.append(candidate) }
        return merged
    }
}

extension EndpointCandidate {
    /// Of duplicates the highest counts, with its own weight, in whatever order they came: a running one before a
    /// terminating one (EP-17), then a ready, a serving, a local one; the rest makes the order total.
    fileprivate var preference: UInt64 {
        let merits: [Bool] = [!traits.contains(.terminating), isReady, traits.contains(.serving), isLocal]
        let rank = merits.reduce(UInt64(0)) { $0 << 1 | ($1 ? 1 : 0) }
        return rank << 40 | UInt64(traits.rawValue) << 32 | UInt64(weight)
    }
}
