// What can become of one call at a socket hook: the names and the words for enum dp_outcome of bpf/abi/observe.h. The
// one table that tables, events and metrics take their words from; a test compares it with the enumeration.

import CDatapathABI

/// Raw values are those of `enum dp_outcome`.
package enum Outcome: UInt32, CaseIterable, Sendable {
    case forwarded = 0
    case noEndpoints = 1
    case noLocalEndpoints = 2
    case sourceRange = 3
    case unknownPort = 4
    case bindProtected = 5
    case connectionUnrecorded = 6
    case udpPeerUnrecorded = 7
    case affinityUnrecorded = 8
    case badRecord = 9
    case eventsLost = 10
    case unownedAddress = 11

    /// What became of the call.
    package enum Effect: String, Sendable {
        case forwarded
        /// ECONNREFUSED, or EADDRINUSE from bind.
        case refused
        /// A time-out for TCP, EPERM for a datagram.
        case dropped
        /// Nothing: the call went on, and something beside it went wrong.
        case noted
    }

    /// For scripts, filters and metric labels; never changes.
    package var name: String {
        switch self {
        case .forwarded: "forwarded"
        case .noEndpoints: "no_endpoints"
        case .noLocalEndpoints: "no_local_endpoints"
        case .sourceRange: "source_range"
        case .unknownPort: "unknown_port"
        case .bindProtected: "bind_protected"
        case .connectionUnrecorded: "connection_unrecorded"
        case .udpPeerUnrecorded: "udp_peer_unrecorded"
        case .affinityUnrecorded: "affinity_unrecorded"
        case .badRecord: "bad_record"
        case .eventsLost: "events_lost"
        case .unownedAddress: "unowned_address"
        }
    }

    package init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    package var effect: Effect {
        switch self {
        case .forwarded: .forwarded
        case .noEndpoints, .unknownPort, .bindProtected, .badRecord: .refused
        case .noLocalEndpoints, .sourceRange, .unownedAddress: .dropped
        case .connectionUnrecorded, .udpPeerUnrecorded, .affinityUnrecorded, .eventsLost: .noted
        }
    }

    /// For people, with the rule behind it.
    package var reason: String {
        switch self {
        case .forwarded: "sent to a backend"
        case .noEndpoints: "refused: the service has no usable endpoint anywhere (REJ-1)"
        case .noLocalEndpoints:
            "dropped: usable endpoints are on other nodes only, and the policy is Local (TP-3, TP-7)"
        case .sourceRange: "dropped: loadBalancerSourceRanges exclude the client (LBSR-1)"
        case .unknownPort: "refused: the address is a service's, the port is not (SVC-12)"
        case .bindProtected: "bind refused: the port is a NodePort"
        case .connectionUnrecorded: "forwarded without reverse state: map connections_overflow is full"
        case .udpPeerUnrecorded: "forwarded without reverse state, replies show the backend: map udp_pages is full"
        case .affinityUnrecorded: "forwarded, but the session affinity could not be recorded"
        case .badRecord: "refused: a record in the maps contradicts itself"
        case .eventsLost: "events not delivered: rate limit reached, or the ring was full"
        case .unownedAddress: "dropped: the address is inside a ServiceCIDR, and no service owns it (SVC-12)"
        }
    }
}
